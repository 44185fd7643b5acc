//! Packs of any size, for what has to stay fast however many definitions there are.

use std::{fmt::Write as _, fs, path::Path};

/// Definitions without findings, by path inside a pack: of ten, six context types, three tools and a persona.
/// They lie over the built-in pack, whose fallback persona they need. `count` is a multiple of ten.
pub fn definitions(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|n| match n % 10 {
            0 => (format!("personas/persona-{n}.yaml"), persona(n)),
            1..=3 => (format!("definitions/tools/tool_{n}.yaml"), tool(n)),
            _ => (format!("definitions/contexts/context-{n}.yaml"), context(n, n / 10 * 10)),
        })
        .collect()
}

/// Writes [`definitions`] into a folder.
pub fn write(folder: &Path, count: usize) {
    for (path, text) in definitions(count) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn persona(n: usize) -> String {
    format!(
        "kind: persona\nname: persona-{n}\ntitle: Analyst {n}\ndescription: Reads generated things.\nprompt: |\n{}",
        "  You read {{ title }} of {{ context_type }}, and you look at what changed before you look at what broke.\n"
            .repeat(12)
    )
}

fn tool(n: usize) -> String {
    format!(
        "kind: tool
name: tool_{n}
title: Generated tool {n}
description: Counts generated things.
category: utility
toolsets: [core]
parameters:
  service_name: {{ type: string, description: Only this service., max_length: 255 }}
  order: {{ type: string, description: Order of the rows., enum: [name, severity], default: name }}
annotations: {{ read_only: true }}
timeout: 10s
run:
  action: sql
  source: platform
  sql: |
    SELECT name, severity, count(*) AS rules FROM alert_rules
    WHERE organization_id = {{{{ organization_id }}}}
      {{% if workspace_id %}}AND workspace_id = {{{{ workspace_id }}}}{{% endif %}}
      {{% if service_name %}}AND name = {{{{ service_name }}}}{{% endif %}}
    GROUP BY name, severity ORDER BY {{{{ order | ident }}}}, rules LIMIT {{{{ limit }}}}
"
    )
}

fn context(n: usize, persona: usize) -> String {
    let mut text = format!(
        "kind: context
name: context-{n}
category: generated
title: Generated context {n}
description: Where generated time is lost.
persona: persona-{persona}
window: {{ default: 1h, max: 7d }}
parameters:
  service: {{ type: string, description: Only this service., max_length: 255 }}
sections:
"
    );
    for section in 0..3 {
        let _ = write!(
            text,
            "  section_{section}:
    title: Requests by service
    source: telemetry
    priority: {}
    query:
      - requires: [traces]
        sql: |
          SELECT service_name, count() AS requests,
                 round(quantileExact(0.95)(duration_ns) / 1e6, 2) AS p95_ms
          FROM traces
          WHERE organization_id = {{{{ organization_id }}}}
            {{% if workspace_id %}}AND workspace_id = {{{{ workspace_id }}}}{{% endif %}}
            AND timestamp >= {{{{ from }}}} AND timestamp < {{{{ to }}}}
            AND span_kind IN ('SERVER', 'CONSUMER')
            {{% if service %}}AND service_name = {{{{ service }}}}{{% endif %}}
          GROUP BY service_name ORDER BY p95_ms DESC, service_name LIMIT {{{{ limit }}}}
    columns: {{ p95_ms: {{ unit: ms, title: p95 }} }}
",
            section + 1
        );
    }
    text.push_str(
        "highlights:
  - each: section_0
    when: row.p95_ms > 1000
    severity: warning
    say: \"{{ row.service_name }}: p95 {{ row.p95_ms }} ms over {{ row.requests }} requests\"
summary: \"{{ sections.section_0.total }} services in {{ window.hours }} hours.\"
",
    );
    text
}
