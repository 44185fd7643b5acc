-- The platform's relational schema for SQLite: the same tables and columns as postgres.sql.
--
-- Types say what the text means: UUID, TIMESTAMP (`YYYY-MM-DDTHH:MM:SS.mmmZ`, always three fraction digits, UTC,
-- so that comparing texts compares times), BOOLEAN (0 or 1), JSON (also for arrays of text).
-- Columns that hold secrets exist and are filled with canaries, as in postgres.sql.

-- Marks the database as made by the demo. Nothing without this table is ever dropped by the loader.
CREATE TABLE tfo_demo (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- IAM and tenancy -----------------------------------------------------------------------------------------------

CREATE TABLE regions (
    id UUID PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    deleted_at TIMESTAMP
);

CREATE TABLE organizations (
    organization_id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    description TEXT,
    domain TEXT,
    region_id UUID REFERENCES regions (id),
    is_active BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    deleted_at TIMESTAMP
);

CREATE TABLE workspaces (
    workspace_id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    description TEXT,
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    is_active BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    deleted_at TIMESTAMP,
    datasource_config JSON
);

CREATE TABLE tenants (
    tenant_id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    description TEXT,
    domain TEXT,
    workspace_id UUID NOT NULL REFERENCES workspaces (workspace_id),
    is_active BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    deleted_at TIMESTAMP
);

CREATE TABLE users (
    id UUID PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    "firstName" TEXT,
    "lastName" TEXT,
    avatar TEXT,
    timezone TEXT,
    locale TEXT,
    organization_id UUID,
    tenant_id UUID,
    group_user_id UUID,
    "isActive" BOOLEAN NOT NULL DEFAULT 1,
    "emailVerified" BOOLEAN NOT NULL DEFAULT 0,
    mfa_enabled BOOLEAN NOT NULL DEFAULT 0,
    mfa_secret TEXT,
    mfa_backup_codes TEXT,
    mfa_enrolled_at TIMESTAMP,
    mfa_last_used_at TIMESTAMP,
    "passwordHistory" TEXT,
    "passwordChangedAt" TIMESTAMP,
    force_password_change BOOLEAN NOT NULL DEFAULT 0,
    password_change_reason TEXT,
    "lastLoginAt" TIMESTAMP,
    "loginCount" INTEGER NOT NULL DEFAULT 0,
    "failedLoginAttempts" INTEGER NOT NULL DEFAULT 0,
    "lockedUntil" TIMESTAMP,
    "lastFailedLoginAt" TIMESTAMP,
    recovery_email TEXT,
    recovery_email_verified_at TIMESTAMP,
    "createdAt" TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    "updatedAt" TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    "deletedAt" TIMESTAMP,
    email_verified_at TIMESTAMP,
    profile_completed_at TIMESTAMP,
    "isOrganizationCreator" BOOLEAN NOT NULL DEFAULT 0,
    mfa_failure_count INTEGER NOT NULL DEFAULT 0,
    mfa_locked_until TIMESTAMP
);

-- Global: no organisation, no deleted_at.
CREATE TABLE roles (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    is_system BOOLEAN NOT NULL DEFAULT 0,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE user_roles (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    role_id UUID NOT NULL REFERENCES roles (id),
    tenant_id UUID,
    assigned_by UUID,
    assigned_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    expires_at TIMESTAMP,
    UNIQUE (user_id, role_id)
);

-- Global, as roles are.
CREATE TABLE permissions (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    resource TEXT NOT NULL,
    action TEXT NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE role_permissions (
    id UUID PRIMARY KEY,
    role_id UUID NOT NULL REFERENCES roles (id),
    permission_id UUID NOT NULL REFERENCES permissions (id),
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    UNIQUE (role_id, permission_id)
);

-- Granted to one account beside its roles, or denied in spite of them.
CREATE TABLE user_permissions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    permission_id UUID NOT NULL REFERENCES permissions (id),
    tenant_id UUID,
    granted_by UUID,
    granted_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    expires_at TIMESTAMP,
    is_denied BOOLEAN NOT NULL DEFAULT 0
);

CREATE TABLE user_sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    session_token TEXT NOT NULL UNIQUE,
    device_name TEXT,
    device_type TEXT,
    browser TEXT,
    browser_version TEXT,
    os TEXT,
    os_version TEXT,
    ip_address TEXT,
    location JSON,
    remember_me BOOLEAN NOT NULL DEFAULT 0,
    is_current BOOLEAN NOT NULL DEFAULT 0,
    last_activity_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    expires_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    terminated_at TIMESTAMP,
    terminated_reason TEXT
);

-- Rows without a user belong to no organisation.
CREATE TABLE security_logs (
    id UUID PRIMARY KEY,
    user_id UUID REFERENCES users (id),
    event_type TEXT NOT NULL,
    ip_address TEXT,
    user_agent TEXT,
    success BOOLEAN NOT NULL DEFAULT 1,
    error_message TEXT,
    metadata JSON,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX idx_security_logs_user ON security_logs (user_id, created_at);

CREATE TABLE sso_providers (
    id UUID PRIMARY KEY,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    provider_type TEXT NOT NULL,
    provider_name TEXT,
    enabled BOOLEAN NOT NULL DEFAULT 1,
    client_id TEXT,
    client_secret TEXT,
    authorization_url TEXT,
    token_url TEXT,
    user_info_url TEXT,
    scopes JSON NOT NULL DEFAULT '[]',
    entity_id TEXT,
    sso_url TEXT,
    slo_url TEXT,
    certificate TEXT,
    private_key TEXT,
    signature_algorithm TEXT,
    callback_url TEXT,
    allowed_domains JSON NOT NULL DEFAULT '[]',
    auto_create_users BOOLEAN NOT NULL DEFAULT 0,
    default_role_id UUID,
    attribute_mapping JSON NOT NULL DEFAULT '{}',
    metadata JSON,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

-- Alerting ------------------------------------------------------------------------------------------------------

CREATE TABLE alert_rules (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    description TEXT,
    severity TEXT NOT NULL,
    conditions JSON NOT NULL DEFAULT '[]',
    notification_channels JSON NOT NULL DEFAULT '[]',
    labels JSON NOT NULL DEFAULT '{}',
    annotations JSON NOT NULL DEFAULT '{}',
    enabled BOOLEAN NOT NULL DEFAULT 1,
    state TEXT NOT NULL DEFAULT 'ok',
    evaluation_interval TEXT NOT NULL DEFAULT '1m',
    for_duration TEXT NOT NULL DEFAULT '5m',
    mute_timings JSON,
    last_evaluated_at TIMESTAMP,
    last_triggered_at TIMESTAMP,
    created_by UUID,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    query_language TEXT NOT NULL DEFAULT 'condition',
    query_string TEXT,
    parsed_ast JSON,
    query_target TEXT,
    source_type TEXT,
    UNIQUE (organization_id, name)
);

CREATE TABLE alert_instances (
    id UUID PRIMARY KEY,
    alert_rule_id UUID NOT NULL REFERENCES alert_rules (id),
    organization_id UUID NOT NULL,
    workspace_id UUID,
    status TEXT NOT NULL,
    severity TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    current_value REAL,
    threshold REAL,
    labels JSON NOT NULL DEFAULT '{}',
    annotations JSON NOT NULL DEFAULT '{}',
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP,
    acknowledged_at TIMESTAMP,
    acknowledged_by UUID,
    acknowledge_comment TEXT,
    resolved_at TIMESTAMP,
    resolved_by TEXT,
    resolution TEXT,
    notifications_sent JSON NOT NULL DEFAULT '[]',
    fingerprint TEXT NOT NULL,
    silenced_until TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX idx_alert_instances_open ON alert_instances (fingerprint) WHERE status <> 'resolved';
CREATE INDEX idx_alert_instances_org ON alert_instances (organization_id, starts_at);

CREATE TABLE notification_channels (
    id UUID PRIMARY KEY,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    type TEXT NOT NULL,
    config JSON NOT NULL DEFAULT '{}',
    enabled BOOLEAN NOT NULL DEFAULT 1,
    send_resolved BOOLEAN NOT NULL DEFAULT 1,
    send_reminder BOOLEAN NOT NULL DEFAULT 0,
    reminder_interval TEXT,
    metadata JSON,
    last_used_at TIMESTAMP,
    last_error TEXT,
    error_count INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    is_default BOOLEAN NOT NULL DEFAULT 0,
    UNIQUE (organization_id, name)
);

-- Channels for what is no alert: invitations, reports, notices.
CREATE TABLE ntf_channels (
    id UUID PRIMARY KEY,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    config JSON NOT NULL DEFAULT '{}',
    enabled BOOLEAN NOT NULL DEFAULT 1,
    verified BOOLEAN NOT NULL DEFAULT 0,
    last_tested_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE notification_logs (
    id UUID PRIMARY KEY,
    organization_id UUID NOT NULL,
    type TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT,
    template_name TEXT,
    template_data JSON,
    status TEXT NOT NULL DEFAULT 'pending',
    error_message TEXT,
    retry_count INTEGER NOT NULL DEFAULT 0,
    sent_at TIMESTAMP,
    delivered_at TIMESTAMP,
    metadata JSON,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX idx_notification_logs_org ON notification_logs (organization_id, created_at);

-- Retention, keys, language models ------------------------------------------------------------------------------

-- organization_id NULL means: the platform's default.
CREATE TABLE retention_policies (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    data_type TEXT NOT NULL,
    retention_days INTEGER NOT NULL,
    archive_enabled BOOLEAN NOT NULL DEFAULT 0,
    archive_destination TEXT,
    filters JSON,
    is_default BOOLEAN NOT NULL DEFAULT 0,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    organization_id UUID,
    last_enforced_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE api_keys (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    description TEXT,
    key_type TEXT NOT NULL DEFAULT 'standard',
    key_prefix TEXT,
    api_key_secret TEXT,
    key_hint TEXT,
    permissions JSON NOT NULL DEFAULT '[]',
    scopes JSON NOT NULL DEFAULT '[]',
    rate_limit INTEGER,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    expires_at TIMESTAMP,
    last_used_at TIMESTAMP,
    last_used_ip TEXT,
    usage_count INTEGER NOT NULL DEFAULT 0,
    created_by UUID,
    revoked_at TIMESTAMP,
    revoked_by UUID,
    revocation_reason TEXT,
    rotated_at TIMESTAMP,
    rotated_by UUID,
    rotation_count INTEGER NOT NULL DEFAULT 0,
    metadata JSON,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    api_key_id TEXT,
    encrypt_key TEXT,
    is_system BOOLEAN NOT NULL DEFAULT 0
);

CREATE TABLE data_masking_policies (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    description TEXT,
    is_enabled BOOLEAN NOT NULL DEFAULT 1,
    rules JSON NOT NULL DEFAULT '[]',
    created_by UUID,
    updated_by UUID,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    deleted_at TIMESTAMP
);

CREATE TABLE llm_providers (
    id UUID PRIMARY KEY,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    provider_type TEXT NOT NULL,
    encrypted_api_key TEXT,
    api_key_hint TEXT,
    base_url TEXT,
    model_id TEXT,
    is_default BOOLEAN NOT NULL DEFAULT 0,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    last_used_at TIMESTAMP,
    usage_count INTEGER NOT NULL DEFAULT 0,
    created_by UUID,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

-- Kubernetes (inferred) -----------------------------------------------------------------------------------------

CREATE TABLE kubernetes_clusters (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    display_name TEXT,
    provider TEXT,
    region TEXT,
    status TEXT NOT NULL,
    version TEXT,
    node_count INTEGER NOT NULL DEFAULT 0,
    pod_count INTEGER NOT NULL DEFAULT 0,
    namespace_count INTEGER NOT NULL DEFAULT 0,
    labels JSON NOT NULL DEFAULT '{}',
    metadata JSON NOT NULL DEFAULT '{}',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE kubernetes_namespaces (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    cluster_id UUID NOT NULL REFERENCES kubernetes_clusters (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    labels JSON NOT NULL DEFAULT '{}',
    annotations JSON NOT NULL DEFAULT '{}',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE kubernetes_nodes (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    cluster_id UUID NOT NULL REFERENCES kubernetes_clusters (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    roles JSON NOT NULL DEFAULT '[]',
    cpu_capacity TEXT,
    memory_capacity TEXT,
    conditions JSON NOT NULL DEFAULT '[]',
    kubelet_version TEXT,
    os_image TEXT,
    container_runtime TEXT,
    capacity JSON NOT NULL DEFAULT '{}',
    allocatable JSON NOT NULL DEFAULT '{}',
    labels JSON NOT NULL DEFAULT '{}',
    taints JSON NOT NULL DEFAULT '[]',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE kubernetes_pods (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    cluster_id UUID NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id UUID NOT NULL REFERENCES kubernetes_namespaces (id),
    node_id UUID REFERENCES kubernetes_nodes (id),
    name TEXT NOT NULL,
    phase TEXT NOT NULL,
    status TEXT,
    restart_count INTEGER NOT NULL DEFAULT 0,
    containers JSON NOT NULL DEFAULT '[]',
    conditions JSON NOT NULL DEFAULT '[]',
    labels JSON NOT NULL DEFAULT '{}',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE kubernetes_deployments (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    cluster_id UUID NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id UUID NOT NULL REFERENCES kubernetes_namespaces (id),
    name TEXT NOT NULL,
    replicas INTEGER NOT NULL DEFAULT 0,
    ready_replicas INTEGER NOT NULL DEFAULT 0,
    available_replicas INTEGER NOT NULL DEFAULT 0,
    unavailable_replicas INTEGER NOT NULL DEFAULT 0,
    strategy TEXT,
    selector JSON NOT NULL DEFAULT '{}',
    conditions JSON NOT NULL DEFAULT '[]',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE kubernetes_persistent_volumes (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    cluster_id UUID NOT NULL REFERENCES kubernetes_clusters (id),
    name TEXT NOT NULL,
    capacity JSON NOT NULL DEFAULT '{}',
    access_modes JSON NOT NULL DEFAULT '[]',
    reclaim_policy TEXT,
    storage_class_name TEXT,
    phase TEXT NOT NULL,
    claim_ref JSON,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE kubernetes_persistent_volume_claims (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    namespace_id UUID NOT NULL REFERENCES kubernetes_namespaces (id),
    name TEXT NOT NULL,
    volume_name TEXT,
    storage_class TEXT,
    phase TEXT NOT NULL,
    requested_storage TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE kubernetes_services (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    cluster_id UUID NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id UUID NOT NULL REFERENCES kubernetes_namespaces (id),
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    cluster_ip TEXT,
    ports JSON NOT NULL DEFAULT '[]',
    selector JSON NOT NULL DEFAULT '{}',
    endpoint_count INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- Names and sizes only, never values.
CREATE TABLE kubernetes_configmaps (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    cluster_id UUID NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id UUID NOT NULL REFERENCES kubernetes_namespaces (id),
    name TEXT NOT NULL,
    key_names JSON NOT NULL DEFAULT '[]',
    data_size_bytes INTEGER NOT NULL DEFAULT 0,
    immutable BOOLEAN NOT NULL DEFAULT 0,
    used_by_count INTEGER NOT NULL DEFAULT 0,
    last_changed_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- Names, sizes and the end of certificates, never values.
CREATE TABLE kubernetes_secrets (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    cluster_id UUID NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id UUID NOT NULL REFERENCES kubernetes_namespaces (id),
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    key_names JSON NOT NULL DEFAULT '[]',
    data_size_bytes INTEGER NOT NULL DEFAULT 0,
    immutable BOOLEAN NOT NULL DEFAULT 0,
    used_by_count INTEGER NOT NULL DEFAULT 0,
    last_changed_at TIMESTAMP,
    tls_not_after TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE kubernetes_hpas (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    cluster_id UUID NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id UUID NOT NULL REFERENCES kubernetes_namespaces (id),
    name TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_name TEXT NOT NULL,
    min_replicas INTEGER NOT NULL DEFAULT 1,
    max_replicas INTEGER NOT NULL,
    current_replicas INTEGER NOT NULL DEFAULT 0,
    desired_replicas INTEGER NOT NULL DEFAULT 0,
    metrics JSON NOT NULL DEFAULT '[]',
    last_scale_at TIMESTAMP,
    conditions JSON NOT NULL DEFAULT '[]',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- Hosts and agents (inferred) -----------------------------------------------------------------------------------

CREATE TABLE agents (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    hostname TEXT,
    ip_address TEXT,
    status TEXT NOT NULL,
    version TEXT,
    last_heartbeat_at TIMESTAMP,
    metadata JSON NOT NULL DEFAULT '{}',
    capabilities JSON NOT NULL DEFAULT '[]',
    cpu_cores INTEGER,
    total_memory INTEGER,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE virtual_machines (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    hostname TEXT,
    status TEXT NOT NULL,
    provider TEXT,
    instance_type TEXT,
    region TEXT,
    tags JSON NOT NULL DEFAULT '{}',
    metadata JSON NOT NULL DEFAULT '{}',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- Service map and network map (inferred) ------------------------------------------------------------------------

CREATE TABLE service_map_services (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    version TEXT,
    endpoint TEXT,
    namespace TEXT,
    environment TEXT,
    tags JSON NOT NULL DEFAULT '{}',
    metadata JSON NOT NULL DEFAULT '{}',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE service_map_dependencies (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    source_service_id UUID NOT NULL REFERENCES service_map_services (id),
    target_service_id UUID NOT NULL REFERENCES service_map_services (id),
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    protocol TEXT,
    latency_ms REAL,
    error_rate REAL,
    request_rate REAL,
    metadata JSON NOT NULL DEFAULT '{}',
    last_seen_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE network_map_nodes (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    ip_address TEXT,
    hostname TEXT,
    port INTEGER,
    namespace TEXT,
    cluster TEXT,
    region TEXT,
    tags JSON NOT NULL DEFAULT '{}',
    metadata JSON NOT NULL DEFAULT '{}',
    kubernetes_resource_type TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE network_map_connections (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    source_node_id UUID NOT NULL REFERENCES network_map_nodes (id),
    target_node_id UUID NOT NULL REFERENCES network_map_nodes (id),
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    source_port INTEGER,
    target_port INTEGER,
    protocol TEXT,
    latency REAL,
    bandwidth REAL,
    packet_loss REAL,
    encrypted BOOLEAN NOT NULL DEFAULT 1,
    metadata JSON NOT NULL DEFAULT '{}',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- Uptime, objectives, changes (inferred) ------------------------------------------------------------------------

CREATE TABLE uptime_monitors (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    "interval" INTEGER NOT NULL DEFAULT 60,
    timeout INTEGER NOT NULL DEFAULT 10,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    is_paused BOOLEAN NOT NULL DEFAULT 0,
    last_check_at TIMESTAMP,
    consecutive_down_count INTEGER NOT NULL DEFAULT 0,
    http_config JSON NOT NULL DEFAULT '{}',
    tags JSON NOT NULL DEFAULT '{}',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- Pages on which customers read how things are. Status: operational, degraded, partial_outage, major_outage,
-- maintenance.
CREATE TABLE status_pages (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    title TEXT NOT NULL,
    slug TEXT NOT NULL,
    is_public BOOLEAN NOT NULL DEFAULT 1,
    overall_status TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- Impact: none, minor, major, critical. Status: investigating, identified, monitoring, resolved. updated_at is when
-- something was said last.
CREATE TABLE status_page_incidents (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    status_page_id UUID NOT NULL REFERENCES status_pages (id),
    title TEXT NOT NULL,
    impact TEXT NOT NULL,
    status TEXT NOT NULL,
    message TEXT,
    affected_monitors JSON NOT NULL DEFAULT '[]',
    updates JSON NOT NULL DEFAULT '[]',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE slo_definitions (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    service_name TEXT NOT NULL,
    name TEXT NOT NULL,
    sli_type TEXT NOT NULL,
    target_pct REAL NOT NULL,
    latency_threshold_ms REAL,
    window_days INTEGER NOT NULL DEFAULT 30,
    enabled BOOLEAN NOT NULL DEFAULT 1,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE change_events (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    kind TEXT NOT NULL,
    service_name TEXT,
    environment TEXT,
    version TEXT,
    title TEXT NOT NULL,
    actor TEXT,
    status TEXT,
    source_ref TEXT,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);
CREATE INDEX idx_change_events_org ON change_events (organization_id, started_at);

-- Databases (inferred) ------------------------------------------------------------------------------------------

CREATE TABLE database_instances (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    display_name TEXT,
    type TEXT NOT NULL,
    host TEXT,
    port INTEGER,
    database_name TEXT,
    version TEXT,
    provider TEXT,
    region TEXT,
    environment TEXT,
    status TEXT NOT NULL,
    last_seen_at TIMESTAMP,
    last_error TEXT,
    error_count INTEGER NOT NULL DEFAULT 0,
    agent_id UUID,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE database_monitoring_rules (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    instance_id UUID NOT NULL REFERENCES database_instances (id),
    metric_name TEXT NOT NULL,
    operator TEXT NOT NULL,
    threshold REAL NOT NULL,
    severity TEXT NOT NULL,
    enabled BOOLEAN NOT NULL DEFAULT 1,
    last_triggered_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- One account: devices it is known from (the platform's own), and which notices it wants (inferred) ---------------

CREATE TABLE known_devices (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    device_fingerprint TEXT NOT NULL,
    device_name TEXT,
    device_type TEXT,
    browser TEXT,
    os TEXT,
    ip_address TEXT,
    is_trusted BOOLEAN NOT NULL DEFAULT 0,
    login_count INTEGER NOT NULL DEFAULT 0,
    first_seen_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    last_seen_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE user_notification_preferences (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    enabled BOOLEAN NOT NULL DEFAULT 1,
    digest TEXT NOT NULL DEFAULT 'immediate',
    quiet_from TEXT,
    quiet_to TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

-- Plan, use and spending (inferred) -----------------------------------------------------------------------------

-- Global: what may be subscribed to.
CREATE TABLE plans (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    trial_days INTEGER NOT NULL DEFAULT 0,
    features JSON NOT NULL DEFAULT '[]',
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE subscriptions (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL,
    plan_id UUID NOT NULL REFERENCES plans (id),
    status TEXT NOT NULL,
    billing_cycle TEXT NOT NULL,
    current_period_start TIMESTAMP NOT NULL,
    current_period_end TIMESTAMP NOT NULL,
    trial_end TIMESTAMP,
    cancel_at_period_end BOOLEAN NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- usage_limit NULL means: not limited.
CREATE TABLE usage_records (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL,
    metric_type TEXT NOT NULL,
    current_usage REAL NOT NULL DEFAULT 0,
    usage_limit REAL,
    period_start TIMESTAMP NOT NULL,
    period_end TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);
CREATE INDEX idx_usage_records_org ON usage_records (organization_id, period_end);

CREATE TABLE cloud_accounts (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    status TEXT NOT NULL,
    last_sync_at TIMESTAMP,
    last_sync_error TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE cost_budgets (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    provider TEXT,
    amount REAL NOT NULL,
    currency TEXT NOT NULL DEFAULT 'USD',
    period TEXT NOT NULL DEFAULT 'monthly',
    period_start TIMESTAMP NOT NULL,
    period_end TIMESTAMP NOT NULL,
    current_spend REAL NOT NULL DEFAULT 0,
    owner TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE cost_recommendations (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    category TEXT NOT NULL,
    title TEXT NOT NULL,
    resource_name TEXT,
    provider TEXT,
    estimated_monthly_savings REAL NOT NULL DEFAULT 0,
    confidence_score REAL,
    status TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- Remediation and reports (inferred) ----------------------------------------------------------------------------



CREATE TABLE report_definitions (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    schedule TEXT NOT NULL,
    schedule_config JSON NOT NULL DEFAULT '{}',
    enabled BOOLEAN NOT NULL DEFAULT 1,
    format TEXT NOT NULL DEFAULT 'pdf',
    recipients JSON NOT NULL DEFAULT '[]',
    created_by UUID,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

CREATE TABLE report_executions (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    report_definition_id UUID NOT NULL REFERENCES report_definitions (id),
    status TEXT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    completed_at TIMESTAMP,
    period_start TIMESTAMP,
    period_end TIMESTAMP,
    summary JSON,
    error TEXT,
    execution_time_ms INTEGER,
    triggered_by TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);
CREATE INDEX idx_report_executions_org ON report_executions (organization_id, started_at);

-- Findings, insights and maintenance (inferred) ------------------------------------------------------------------

-- Inferred. What is to be done about a deviation, and how far it is; times beside the status, which is that of now.
CREATE TABLE remediation_plans (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    trigger_type TEXT NOT NULL,
    title TEXT NOT NULL,
    service_name TEXT,
    status TEXT NOT NULL,
    risk_level TEXT NOT NULL,
    root_cause_hypothesis TEXT,
    llm_model TEXT,
    approved_at TIMESTAMP,
    started_at TIMESTAMP,
    completed_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);
CREATE INDEX idx_remediation_plans_org ON remediation_plans (organization_id, created_at);

-- Inferred. The steps of a plan, in order.
CREATE TABLE remediation_actions (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    plan_id UUID NOT NULL REFERENCES remediation_plans (id),
    position INTEGER NOT NULL,
    action_type TEXT NOT NULL,
    target TEXT,
    status TEXT NOT NULL,
    error TEXT,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);

-- New, the platform has none: a known weakness of one package on one asset.
CREATE TABLE vulnerability_findings (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    cve_id TEXT NOT NULL,
    title TEXT NOT NULL,
    asset_type TEXT NOT NULL,
    asset_name TEXT NOT NULL,
    package_name TEXT,
    installed_version TEXT,
    fixed_version TEXT,
    severity TEXT NOT NULL,
    cvss REAL,
    exploited BOOLEAN NOT NULL DEFAULT 0,
    status TEXT NOT NULL,
    owner TEXT,
    first_seen_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP,
    accepted_at TIMESTAMP,
    accepted_until TIMESTAMP,
    fixed_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);
CREATE INDEX idx_vulnerability_findings_org ON vulnerability_findings (organization_id, first_seen_at);

-- New, the platform has none.
CREATE TABLE security_incidents (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    title TEXT NOT NULL,
    category TEXT NOT NULL,
    severity TEXT NOT NULL,
    status TEXT NOT NULL,
    owner TEXT,
    source_ref TEXT,
    detected_at TIMESTAMP NOT NULL,
    acknowledged_at TIMESTAMP,
    contained_at TIMESTAMP,
    resolved_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);
CREATE INDEX idx_security_incidents_org ON security_incidents (organization_id, detected_at);

-- New: the platform keeps generated text in conversations only.
CREATE TABLE ai_insights (
    id UUID PRIMARY KEY, organization_id UUID NOT NULL, workspace_id UUID,
    insight_type TEXT NOT NULL,
    context_type TEXT,
    title TEXT NOT NULL,
    summary TEXT NOT NULL,
    confidence REAL,
    severity TEXT NOT NULL,
    service_name TEXT,
    acknowledged_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), updated_at TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), deleted_at TIMESTAMP
);
CREATE INDEX idx_ai_insights_org ON ai_insights (organization_id, created_at);
