-- The platform's relational schema for PostgreSQL, as the demo and the tests load it.
--
-- Column names are the platform's own: users mixes "camelCase" and snake_case, organizations, workspaces and
-- tenants are keyed by <entity>_id, roles are global, alert_rules has no deleted_at. IAM tables keep timestamps
-- without zone (UTC). Tables for which the platform publishes no DDL are marked "inferred".
-- Columns that hold secrets (password, mfa_secret, config, encrypted_api_key, ...) exist and are filled with
-- canaries, so that tests can prove that no definition ever reads them.

-- Marks the database as made by the demo. Nothing without this table is ever dropped by the loader.
CREATE TABLE tfo_demo (key text PRIMARY KEY, value text NOT NULL);

-- IAM and tenancy -----------------------------------------------------------------------------------------------

CREATE TABLE regions (
    id uuid PRIMARY KEY,
    code varchar(50) NOT NULL UNIQUE,
    name varchar(255) NOT NULL,
    description text,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    deleted_at timestamp
);

CREATE TABLE organizations (
    organization_id uuid PRIMARY KEY,
    name varchar(255) NOT NULL,
    code varchar(50) NOT NULL UNIQUE,
    description text,
    domain varchar(255),
    region_id uuid REFERENCES regions (id),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    deleted_at timestamp
);

CREATE TABLE workspaces (
    workspace_id uuid PRIMARY KEY,
    name varchar(255) NOT NULL,
    code varchar(50) NOT NULL,
    description text,
    organization_id uuid NOT NULL REFERENCES organizations (organization_id),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    deleted_at timestamp,
    datasource_config jsonb
);

CREATE TABLE tenants (
    tenant_id uuid PRIMARY KEY,
    name varchar(255) NOT NULL,
    code varchar(50) NOT NULL,
    description text,
    domain varchar(255),
    workspace_id uuid NOT NULL REFERENCES workspaces (workspace_id),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    deleted_at timestamp
);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    email varchar(255) NOT NULL UNIQUE,
    password varchar(255) NOT NULL,
    "firstName" varchar(100),
    "lastName" varchar(100),
    avatar text,
    timezone varchar(50),
    locale varchar(10),
    organization_id uuid,
    tenant_id uuid,
    group_user_id uuid,
    "isActive" boolean NOT NULL DEFAULT true,
    "emailVerified" boolean NOT NULL DEFAULT false,
    mfa_enabled boolean NOT NULL DEFAULT false,
    mfa_secret text,
    mfa_backup_codes text,
    mfa_enrolled_at timestamp,
    mfa_last_used_at timestamp,
    "passwordHistory" text,
    "passwordChangedAt" timestamp,
    force_password_change boolean NOT NULL DEFAULT false,
    password_change_reason text,
    "lastLoginAt" timestamp,
    "loginCount" integer NOT NULL DEFAULT 0,
    "failedLoginAttempts" integer NOT NULL DEFAULT 0,
    "lockedUntil" timestamp,
    "lastFailedLoginAt" timestamp,
    recovery_email varchar(255),
    recovery_email_verified_at timestamp,
    "createdAt" timestamp NOT NULL DEFAULT now(),
    "updatedAt" timestamp NOT NULL DEFAULT now(),
    "deletedAt" timestamp,
    email_verified_at timestamp,
    profile_completed_at timestamp,
    "isOrganizationCreator" boolean NOT NULL DEFAULT false,
    mfa_failure_count integer NOT NULL DEFAULT 0,
    mfa_locked_until timestamp
);

-- Global: no organisation, no deleted_at.
CREATE TABLE roles (
    id uuid PRIMARY KEY,
    name varchar(100) NOT NULL UNIQUE,
    description text,
    is_system boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now()
);

CREATE TABLE user_roles (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    role_id uuid NOT NULL REFERENCES roles (id),
    tenant_id uuid,
    assigned_by uuid,
    assigned_at timestamp NOT NULL DEFAULT now(),
    expires_at timestamp,
    UNIQUE (user_id, role_id)
);

-- Global, as roles are.
CREATE TABLE permissions (
    id uuid PRIMARY KEY,
    name varchar(100) NOT NULL UNIQUE,
    description text,
    resource varchar(100) NOT NULL,
    action varchar(50) NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now()
);

CREATE TABLE role_permissions (
    id uuid PRIMARY KEY,
    role_id uuid NOT NULL REFERENCES roles (id),
    permission_id uuid NOT NULL REFERENCES permissions (id),
    created_at timestamp NOT NULL DEFAULT now(),
    UNIQUE (role_id, permission_id)
);

-- Granted to one account beside its roles, or denied in spite of them.
CREATE TABLE user_permissions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    permission_id uuid NOT NULL REFERENCES permissions (id),
    tenant_id uuid,
    granted_by uuid,
    granted_at timestamp NOT NULL DEFAULT now(),
    expires_at timestamp,
    is_denied boolean NOT NULL DEFAULT false
);

CREATE TABLE user_sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    session_token varchar(500) NOT NULL UNIQUE,
    device_name varchar(255),
    device_type varchar(50),
    browser varchar(100),
    browser_version varchar(50),
    os varchar(100),
    os_version varchar(50),
    ip_address varchar(45),
    location jsonb,
    remember_me boolean NOT NULL DEFAULT false,
    is_current boolean NOT NULL DEFAULT false,
    last_activity_at timestamp NOT NULL DEFAULT now(),
    expires_at timestamp NOT NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    terminated_at timestamp,
    terminated_reason varchar(255)
);

-- Rows without a user belong to no organisation.
CREATE TABLE security_logs (
    id uuid PRIMARY KEY,
    user_id uuid REFERENCES users (id),
    event_type varchar(50) NOT NULL,
    ip_address varchar(45),
    user_agent text,
    success boolean NOT NULL DEFAULT true,
    error_message text,
    metadata jsonb,
    created_at timestamp NOT NULL DEFAULT now()
);
CREATE INDEX idx_security_logs_user ON security_logs (user_id, created_at);

CREATE TABLE sso_providers (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name varchar(255) NOT NULL,
    provider_type varchar(50) NOT NULL,
    provider_name varchar(100),
    enabled boolean NOT NULL DEFAULT true,
    client_id varchar(255),
    client_secret text,
    authorization_url text,
    token_url text,
    user_info_url text,
    scopes jsonb NOT NULL DEFAULT '[]',
    entity_id varchar(500),
    sso_url text,
    slo_url text,
    certificate text,
    private_key text,
    signature_algorithm varchar(50),
    callback_url text,
    allowed_domains jsonb NOT NULL DEFAULT '[]',
    auto_create_users boolean NOT NULL DEFAULT false,
    default_role_id uuid,
    attribute_mapping jsonb NOT NULL DEFAULT '{}',
    metadata jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Alerting ------------------------------------------------------------------------------------------------------

CREATE TABLE alert_rules (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name varchar(255) NOT NULL,
    description text,
    severity varchar(20) NOT NULL,
    conditions jsonb NOT NULL DEFAULT '[]',
    notification_channels jsonb NOT NULL DEFAULT '[]',
    labels jsonb NOT NULL DEFAULT '{}',
    annotations jsonb NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    state varchar(20) NOT NULL DEFAULT 'ok',
    evaluation_interval varchar(20) NOT NULL DEFAULT '1m',
    for_duration varchar(20) NOT NULL DEFAULT '5m',
    mute_timings jsonb,
    last_evaluated_at timestamptz,
    last_triggered_at timestamptz,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    query_language varchar(20) NOT NULL DEFAULT 'condition',
    query_string text,
    parsed_ast jsonb,
    query_target varchar(50),
    source_type varchar(20),
    UNIQUE (organization_id, name)
);

CREATE TABLE alert_instances (
    id uuid PRIMARY KEY,
    alert_rule_id uuid NOT NULL REFERENCES alert_rules (id),
    organization_id uuid NOT NULL,
    workspace_id uuid,
    status varchar(20) NOT NULL,
    severity varchar(20) NOT NULL,
    title varchar(500) NOT NULL,
    description text,
    current_value double precision,
    threshold double precision,
    labels jsonb NOT NULL DEFAULT '{}',
    annotations jsonb NOT NULL DEFAULT '{}',
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by uuid,
    acknowledge_comment text,
    resolved_at timestamptz,
    resolved_by varchar(100),
    resolution text,
    notifications_sent jsonb NOT NULL DEFAULT '[]',
    fingerprint varchar(255) NOT NULL,
    silenced_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_alert_instances_open ON alert_instances (fingerprint) WHERE status <> 'resolved';
CREATE INDEX idx_alert_instances_org ON alert_instances (organization_id, starts_at);

CREATE TABLE notification_channels (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name varchar(255) NOT NULL,
    description text,
    type varchar(50) NOT NULL,
    config jsonb NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    send_resolved boolean NOT NULL DEFAULT true,
    send_reminder boolean NOT NULL DEFAULT false,
    reminder_interval varchar(20),
    metadata jsonb,
    last_used_at timestamptz,
    last_error text,
    error_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    is_default boolean NOT NULL DEFAULT false,
    UNIQUE (organization_id, name)
);

-- Channels for what is no alert: invitations, reports, notices.
CREATE TABLE ntf_channels (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name varchar(255) NOT NULL,
    type varchar(50) NOT NULL,
    config jsonb NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    verified boolean NOT NULL DEFAULT false,
    last_tested_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE notification_logs (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    type varchar(50) NOT NULL,
    channel varchar(50) NOT NULL,
    recipient varchar(500) NOT NULL,
    subject varchar(500),
    template_name varchar(255),
    template_data jsonb,
    status varchar(20) NOT NULL DEFAULT 'pending',
    error_message text,
    retry_count integer NOT NULL DEFAULT 0,
    sent_at timestamptz,
    delivered_at timestamptz,
    metadata jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_notification_logs_org ON notification_logs (organization_id, created_at);

-- Retention, keys, language models ------------------------------------------------------------------------------

-- organization_id NULL means: the platform's default.
CREATE TABLE retention_policies (
    id uuid PRIMARY KEY,
    name varchar(255) NOT NULL,
    description text,
    data_type varchar(50) NOT NULL,
    retention_days integer NOT NULL,
    archive_enabled boolean NOT NULL DEFAULT false,
    archive_destination varchar(500),
    filters jsonb,
    is_default boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    organization_id uuid,
    last_enforced_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TYPE api_key_type AS ENUM ('standard', 'service');

CREATE TABLE api_keys (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name varchar(255) NOT NULL,
    description text,
    key_type api_key_type NOT NULL DEFAULT 'standard',
    key_prefix varchar(10),
    api_key_secret varchar(256),
    key_hint varchar(20),
    permissions jsonb NOT NULL DEFAULT '[]',
    scopes jsonb NOT NULL DEFAULT '[]',
    rate_limit integer,
    is_active boolean NOT NULL DEFAULT true,
    expires_at timestamptz,
    last_used_at timestamptz,
    last_used_ip inet,
    usage_count bigint NOT NULL DEFAULT 0,
    created_by uuid,
    revoked_at timestamptz,
    revoked_by uuid,
    revocation_reason text,
    rotated_at timestamptz,
    rotated_by uuid,
    rotation_count integer NOT NULL DEFAULT 0,
    metadata jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    api_key_id varchar(128),
    encrypt_key text,
    is_system boolean NOT NULL DEFAULT false
);

CREATE TABLE data_masking_policies (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name varchar(255) NOT NULL,
    description text,
    is_enabled boolean NOT NULL DEFAULT true,
    rules jsonb NOT NULL DEFAULT '[]',
    created_by uuid,
    updated_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);

CREATE TABLE llm_providers (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    name varchar(255) NOT NULL,
    provider_type varchar(50) NOT NULL,
    encrypted_api_key text,
    api_key_hint varchar(20),
    base_url text,
    model_id varchar(100),
    is_default boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    last_used_at timestamptz,
    usage_count bigint NOT NULL DEFAULT 0,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Kubernetes (inferred) -----------------------------------------------------------------------------------------

CREATE TABLE kubernetes_clusters (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name text NOT NULL,
    display_name text,
    provider text,
    region text,
    status text NOT NULL,
    version text,
    node_count integer NOT NULL DEFAULT 0,
    pod_count integer NOT NULL DEFAULT 0,
    namespace_count integer NOT NULL DEFAULT 0,
    labels jsonb NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE kubernetes_namespaces (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    cluster_id uuid NOT NULL REFERENCES kubernetes_clusters (id),
    name text NOT NULL,
    status text NOT NULL,
    labels jsonb NOT NULL DEFAULT '{}',
    annotations jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE kubernetes_nodes (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    cluster_id uuid NOT NULL REFERENCES kubernetes_clusters (id),
    name text NOT NULL,
    status text NOT NULL,
    roles text[] NOT NULL DEFAULT '{}',
    cpu_capacity text,
    memory_capacity text,
    conditions jsonb NOT NULL DEFAULT '[]',
    kubelet_version text,
    os_image text,
    container_runtime text,
    capacity jsonb NOT NULL DEFAULT '{}',
    allocatable jsonb NOT NULL DEFAULT '{}',
    labels jsonb NOT NULL DEFAULT '{}',
    taints jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE kubernetes_pods (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    cluster_id uuid NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id uuid NOT NULL REFERENCES kubernetes_namespaces (id),
    node_id uuid REFERENCES kubernetes_nodes (id),
    name text NOT NULL,
    phase text NOT NULL,
    status text,
    restart_count integer NOT NULL DEFAULT 0,
    containers jsonb NOT NULL DEFAULT '[]',
    conditions jsonb NOT NULL DEFAULT '[]',
    labels jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE kubernetes_deployments (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    cluster_id uuid NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id uuid NOT NULL REFERENCES kubernetes_namespaces (id),
    name text NOT NULL,
    replicas integer NOT NULL DEFAULT 0,
    ready_replicas integer NOT NULL DEFAULT 0,
    available_replicas integer NOT NULL DEFAULT 0,
    unavailable_replicas integer NOT NULL DEFAULT 0,
    strategy text,
    selector jsonb NOT NULL DEFAULT '{}',
    conditions jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE kubernetes_persistent_volumes (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    cluster_id uuid NOT NULL REFERENCES kubernetes_clusters (id),
    name text NOT NULL,
    capacity jsonb NOT NULL DEFAULT '{}',
    access_modes text[] NOT NULL DEFAULT '{}',
    reclaim_policy text,
    storage_class_name text,
    phase text NOT NULL,
    claim_ref jsonb,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE kubernetes_persistent_volume_claims (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    namespace_id uuid NOT NULL REFERENCES kubernetes_namespaces (id),
    name text NOT NULL,
    volume_name text,
    storage_class text,
    phase text NOT NULL,
    requested_storage text,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE kubernetes_services (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    cluster_id uuid NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id uuid NOT NULL REFERENCES kubernetes_namespaces (id),
    name text NOT NULL,
    type text NOT NULL,
    cluster_ip text,
    ports jsonb NOT NULL DEFAULT '[]',
    selector jsonb NOT NULL DEFAULT '{}',
    endpoint_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- Names and sizes only, never values.
CREATE TABLE kubernetes_configmaps (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    cluster_id uuid NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id uuid NOT NULL REFERENCES kubernetes_namespaces (id),
    name text NOT NULL,
    key_names text[] NOT NULL DEFAULT '{}',
    data_size_bytes bigint NOT NULL DEFAULT 0,
    immutable boolean NOT NULL DEFAULT false,
    used_by_count integer NOT NULL DEFAULT 0,
    last_changed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- Names, sizes and the end of certificates, never values.
CREATE TABLE kubernetes_secrets (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    cluster_id uuid NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id uuid NOT NULL REFERENCES kubernetes_namespaces (id),
    name text NOT NULL,
    type text NOT NULL,
    key_names text[] NOT NULL DEFAULT '{}',
    data_size_bytes bigint NOT NULL DEFAULT 0,
    immutable boolean NOT NULL DEFAULT false,
    used_by_count integer NOT NULL DEFAULT 0,
    last_changed_at timestamptz,
    tls_not_after timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE kubernetes_hpas (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    cluster_id uuid NOT NULL REFERENCES kubernetes_clusters (id),
    namespace_id uuid NOT NULL REFERENCES kubernetes_namespaces (id),
    name text NOT NULL,
    target_kind text NOT NULL,
    target_name text NOT NULL,
    min_replicas integer NOT NULL DEFAULT 1,
    max_replicas integer NOT NULL,
    current_replicas integer NOT NULL DEFAULT 0,
    desired_replicas integer NOT NULL DEFAULT 0,
    metrics jsonb NOT NULL DEFAULT '[]',
    last_scale_at timestamptz,
    conditions jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- Hosts and agents (inferred) -----------------------------------------------------------------------------------

CREATE TABLE agents (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name text NOT NULL,
    type text NOT NULL,
    hostname text,
    ip_address text,
    status text NOT NULL,
    version text,
    last_heartbeat_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}',
    capabilities jsonb NOT NULL DEFAULT '[]',
    cpu_cores integer,
    total_memory bigint,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE virtual_machines (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name text NOT NULL,
    hostname text,
    status text NOT NULL,
    provider text,
    instance_type text,
    region text,
    tags jsonb NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- Service map and network map (inferred) ------------------------------------------------------------------------

CREATE TABLE service_map_services (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name text NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    version text,
    endpoint text,
    namespace text,
    environment text,
    tags jsonb NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE service_map_dependencies (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    source_service_id uuid NOT NULL REFERENCES service_map_services (id),
    target_service_id uuid NOT NULL REFERENCES service_map_services (id),
    type text NOT NULL,
    status text NOT NULL,
    protocol text,
    latency_ms double precision,
    error_rate double precision,
    request_rate double precision,
    metadata jsonb NOT NULL DEFAULT '{}',
    last_seen_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE network_map_nodes (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name text NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    ip_address text,
    hostname text,
    port integer,
    namespace text,
    cluster text,
    region text,
    tags jsonb NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    kubernetes_resource_type text,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE network_map_connections (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    source_node_id uuid NOT NULL REFERENCES network_map_nodes (id),
    target_node_id uuid NOT NULL REFERENCES network_map_nodes (id),
    type text NOT NULL,
    status text NOT NULL,
    source_port integer,
    target_port integer,
    protocol text,
    latency double precision,
    bandwidth double precision,
    packet_loss double precision,
    encrypted boolean NOT NULL DEFAULT true,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- Uptime, objectives, changes (inferred) ------------------------------------------------------------------------

CREATE TABLE uptime_monitors (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name text NOT NULL,
    url text NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    "interval" integer NOT NULL DEFAULT 60,
    timeout integer NOT NULL DEFAULT 10,
    is_active boolean NOT NULL DEFAULT true,
    is_paused boolean NOT NULL DEFAULT false,
    last_check_at timestamptz,
    consecutive_down_count integer NOT NULL DEFAULT 0,
    http_config jsonb NOT NULL DEFAULT '{}',
    tags jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- Pages on which customers read how things are. Status: operational, degraded, partial_outage, major_outage,
-- maintenance.
CREATE TABLE status_pages (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    title text NOT NULL,
    slug text NOT NULL,
    is_public boolean NOT NULL DEFAULT true,
    overall_status text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- Impact: none, minor, major, critical. Status: investigating, identified, monitoring, resolved. updated_at is when
-- something was said last.
CREATE TABLE status_page_incidents (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    status_page_id uuid NOT NULL REFERENCES status_pages (id),
    title text NOT NULL,
    impact text NOT NULL,
    status text NOT NULL,
    message text,
    affected_monitors jsonb NOT NULL DEFAULT '[]',
    updates jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE slo_definitions (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    service_name text NOT NULL,
    name text NOT NULL,
    sli_type text NOT NULL,
    target_pct double precision NOT NULL,
    latency_threshold_ms double precision,
    window_days integer NOT NULL DEFAULT 30,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE change_events (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    kind text NOT NULL,
    service_name text,
    environment text,
    version text,
    title text NOT NULL,
    actor text,
    status text,
    source_ref text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);
CREATE INDEX idx_change_events_org ON change_events (organization_id, started_at);

-- Databases (inferred) ------------------------------------------------------------------------------------------

CREATE TABLE database_instances (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name text NOT NULL,
    display_name text,
    type text NOT NULL,
    host text,
    port integer,
    database_name text,
    version text,
    provider text,
    region text,
    environment text,
    status text NOT NULL,
    last_seen_at timestamptz,
    last_error text,
    error_count integer NOT NULL DEFAULT 0,
    agent_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE database_monitoring_rules (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    instance_id uuid NOT NULL REFERENCES database_instances (id),
    metric_name text NOT NULL,
    operator text NOT NULL,
    threshold double precision NOT NULL,
    severity text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    last_triggered_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- One account: devices it is known from (the platform's own), and which notices it wants (inferred) ---------------

CREATE TABLE known_devices (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    device_fingerprint varchar(255) NOT NULL,
    device_name varchar(255),
    device_type varchar(50),
    browser varchar(100),
    os varchar(100),
    ip_address varchar(45),
    is_trusted boolean NOT NULL DEFAULT false,
    login_count integer NOT NULL DEFAULT 0,
    first_seen_at timestamp NOT NULL DEFAULT now(),
    last_seen_at timestamp NOT NULL DEFAULT now()
);

CREATE TABLE user_notification_preferences (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    kind varchar(50) NOT NULL,
    channel varchar(50) NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    digest varchar(20) NOT NULL DEFAULT 'immediate',
    quiet_from varchar(5),
    quiet_to varchar(5),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Plan, use and spending (inferred) -----------------------------------------------------------------------------

-- Global: what may be subscribed to.
CREATE TABLE plans (
    id uuid PRIMARY KEY,
    name varchar(100) NOT NULL,
    type varchar(20) NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    trial_days integer NOT NULL DEFAULT 0,
    features jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE subscriptions (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL,
    plan_id uuid NOT NULL REFERENCES plans (id),
    status varchar(20) NOT NULL,
    billing_cycle varchar(20) NOT NULL,
    current_period_start timestamptz NOT NULL,
    current_period_end timestamptz NOT NULL,
    trial_end timestamptz,
    cancel_at_period_end boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- usage_limit NULL means: not limited.
CREATE TABLE usage_records (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL,
    metric_type varchar(50) NOT NULL,
    current_usage double precision NOT NULL DEFAULT 0,
    usage_limit double precision,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);
CREATE INDEX idx_usage_records_org ON usage_records (organization_id, period_end);

CREATE TABLE cloud_accounts (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name varchar(255) NOT NULL,
    provider varchar(50) NOT NULL,
    status varchar(20) NOT NULL,
    last_sync_at timestamptz,
    last_sync_error text,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE cost_budgets (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name varchar(255) NOT NULL,
    provider varchar(50),
    amount double precision NOT NULL,
    currency varchar(3) NOT NULL DEFAULT 'USD',
    period varchar(20) NOT NULL DEFAULT 'monthly',
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    current_spend double precision NOT NULL DEFAULT 0,
    owner varchar(255),
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE cost_recommendations (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    category varchar(50) NOT NULL,
    title text NOT NULL,
    resource_name varchar(255),
    provider varchar(50),
    estimated_monthly_savings double precision NOT NULL DEFAULT 0,
    confidence_score double precision,
    status varchar(20) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- Remediation and reports (inferred) ----------------------------------------------------------------------------



CREATE TABLE report_definitions (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    name varchar(255) NOT NULL,
    type varchar(50) NOT NULL,
    schedule varchar(20) NOT NULL,
    schedule_config jsonb NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    format varchar(10) NOT NULL DEFAULT 'pdf',
    recipients jsonb NOT NULL DEFAULT '[]',
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

CREATE TABLE report_executions (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    report_definition_id uuid NOT NULL REFERENCES report_definitions (id),
    status varchar(20) NOT NULL,
    started_at timestamptz NOT NULL,
    completed_at timestamptz,
    period_start timestamptz,
    period_end timestamptz,
    summary jsonb,
    error text,
    execution_time_ms bigint,
    triggered_by varchar(50),
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);
CREATE INDEX idx_report_executions_org ON report_executions (organization_id, started_at);

-- Findings, insights and maintenance (inferred) ------------------------------------------------------------------

-- Inferred. What is to be done about a deviation, and how far it is; times beside the status, which is that of now.
CREATE TABLE remediation_plans (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    trigger_type text NOT NULL,
    title text NOT NULL,
    service_name text,
    status text NOT NULL,
    risk_level text NOT NULL,
    root_cause_hypothesis text,
    llm_model text,
    approved_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);
CREATE INDEX idx_remediation_plans_org ON remediation_plans (organization_id, created_at);

-- Inferred. The steps of a plan, in order.
CREATE TABLE remediation_actions (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    plan_id uuid NOT NULL REFERENCES remediation_plans (id),
    position integer NOT NULL,
    action_type text NOT NULL,
    target text,
    status text NOT NULL,
    error text,
    started_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);

-- New, the platform has none: a known weakness of one package on one asset.
CREATE TABLE vulnerability_findings (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    cve_id text NOT NULL,
    title text NOT NULL,
    asset_type text NOT NULL,
    asset_name text NOT NULL,
    package_name text,
    installed_version text,
    fixed_version text,
    severity text NOT NULL,
    cvss double precision,
    exploited boolean NOT NULL DEFAULT false,
    status text NOT NULL,
    owner text,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz,
    accepted_at timestamptz,
    accepted_until timestamptz,
    fixed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);
CREATE INDEX idx_vulnerability_findings_org ON vulnerability_findings (organization_id, first_seen_at);

-- New, the platform has none.
CREATE TABLE security_incidents (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    title text NOT NULL,
    category text NOT NULL,
    severity text NOT NULL,
    status text NOT NULL,
    owner text,
    source_ref text,
    detected_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    contained_at timestamptz,
    resolved_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);
CREATE INDEX idx_security_incidents_org ON security_incidents (organization_id, detected_at);

-- New: the platform keeps generated text in conversations only.
CREATE TABLE ai_insights (
    id uuid PRIMARY KEY, organization_id uuid NOT NULL, workspace_id uuid,
    insight_type text NOT NULL,
    context_type text,
    title text NOT NULL,
    summary text NOT NULL,
    confidence double precision,
    severity text NOT NULL,
    service_name text,
    acknowledged_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz
);
CREATE INDEX idx_ai_insights_org ON ai_insights (organization_id, created_at);
