== endless-recursion: recursion that never ends
cost WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t
cost WITH RECURSIVE t(n) AS (VALUES(1) UNION ALL SELECT n FROM t) SELECT max(n) FROM t
cost WITH RECURSIVE t(s) AS (SELECT 'a' UNION ALL SELECT s || s FROM t) SELECT max(length(s)) FROM t
cost WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t ORDER BY 1 DESC) SELECT n FROM t WHERE n < 0
cost WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT n + 1 FROM t) SELECT count(*) FROM t
cost WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT t.n + 1 FROM t, users, agents) SELECT count(*) FROM t
cost WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a LIMIT 100000000), b(m) AS (SELECT 1 UNION ALL SELECT m + 1 FROM b) SELECT count(*) FROM a, b
cost WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 50000000) SELECT n FROM t ORDER BY hex(n) LIMIT 1
cost WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 50000000) SELECT count(DISTINCT hex(n)) FROM t
cost WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 50000000) SELECT sum(n) OVER (ORDER BY hex(n)) FROM t

== cross-joins: products of tables
cost SELECT count(*) FROM users a, users b, users c, users d, users e, users f, users g
cost SELECT count(*) FROM alert_instances a, alert_instances b, alert_instances c, alert_instances d WHERE a.title || b.title = c.title || d.title
cost SELECT max(a.body) FROM (SELECT title AS body FROM alert_instances, users, agents, kubernetes_pods, change_events) a
cost SELECT group_concat(a.name || b.name) FROM agents a, agents b, agents c, agents d
cost SELECT json_group_array(a.labels) FROM alert_rules a, alert_rules b, alert_rules c, alert_rules d, users, agents

== growing-values: values that grow without end
cost SELECT replace(replace(replace(replace('aaaaaaaaaa','a','aaaaaaaaaa'),'a','aaaaaaaaaa'),'a','aaaaaaaaaa'),'a','aaaaaaaaaa')
cost SELECT length(replace(hex(replace(hex('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'),'6',hex('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))),'3',hex('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb')))
cost SELECT printf('%1000000000d', 1)
cost SELECT printf('%.*c', 1000000000, 'x')
cost SELECT format('%2147483647s', 'a')
cost SELECT zeroblob(2000000000)
cost SELECT hex(zeroblob(500000000))
cost SELECT randomblob(1000000000)
cost SELECT quote(zeroblob(400000000))
cost SELECT group_concat(zeroblob(1000000)) FROM users, agents
cost SELECT char(65,65,65) || group_concat(a.email || b.email || c.email || d.email) FROM users a, users b, users c, users d
cost SELECT json_group_array(json_array(a.email, b.email, c.email)) FROM users a, users b, users c
cost SELECT concat_ws(hex(zeroblob(100000)), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
cost SELECT substr(zeroblob(2000000000), 1, 1)
cost SELECT unistr(replace(hex(zeroblob(1000000)), '00', '\0041'))
cost SELECT string_agg(a.email, hex(zeroblob(100000))) FROM users a, users b

== long-functions: one function call that takes very long
cost SELECT instr(replace(hex(zeroblob(400000)), '0', 'aaaaa'), replace(hex(zeroblob(100000)), '0', 'aaa') || 'b')
cost SELECT replace(hex(zeroblob(500000)), hex(zeroblob(200000)) || '1', 'b')
cost SELECT trim(hex(zeroblob(400000)), replace(hex(zeroblob(50000)), '0', 'abcdef'))
cost SELECT rtrim(replace(hex(zeroblob(400000)), '0', 'é'), replace(hex(zeroblob(50000)), '0', 'éà'))
cost SELECT hex(zeroblob(400000)) LIKE '%0%0%0%0%0%0%0%0%0%0%0%0%0%0%0%1'
cost SELECT hex(zeroblob(400000)) GLOB '*0*0*0*0*0*0*0*0*0*0*0*1'
cost SELECT hex(zeroblob(40000)) LIKE replace(hex(zeroblob(20000)), '00', '%0_') || '1'
cost SELECT hex(zeroblob(100000)) GLOB replace(hex(zeroblob(10000)), '00', '*[0-9]') || 'x'
cost SELECT json_valid(replace(hex(zeroblob(200000)), '0', '['))
cost SELECT json_extract(replace(hex(zeroblob(900)), '0', '[') || '1' || replace(hex(zeroblob(900)), '0', ']'), '$' || replace(hex(zeroblob(900)), '0', '[0]'))
cost SELECT json_patch(replace(hex(zeroblob(400)), '0', '{"a":') || '1' || replace(hex(zeroblob(400)), '0', '}'), '{}')
cost SELECT count(*) FROM json_tree(replace(hex(zeroblob(450)), '0', '[') || '1' || replace(hex(zeroblob(450)), '0', ']'))
cost SELECT count(*) FROM json_each('[' || replace(hex(zeroblob(1000000)), '0', '1,') || '1]') a, json_each('[1,2,3,4,5,6,7,8,9]') b
cost SELECT strftime(replace(hex(zeroblob(500000)), '0', '%Y'))

== deep-nesting: texts that nest until a parser's stack ends
deep 300 SELECT <<( >>1<<) >>
deep 3000 SELECT <<( >>1<<) >>
deep 900 SELECT <<NOT >>1<< >>
deep 2000 SELECT <<- >>1<< >>
deep 150 SELECT <<(SELECT >>1<<) >>
deep 1000 SELECT <<CASE WHEN 1 THEN >>1<< END>>
deep 1500 SELECT <<abs( >>1<<) >>
deep 800 SELECT 1<<+1 >><< >>
deep 2500 SELECT 1<< OR 1>><< >>
deep 520 SELECT 1<< UNION SELECT 1>><< >>
deep 300 SELECT * FROM <<( >>users<<) >>
deep 200 SELECT * FROM <<(SELECT * FROM >>users<<) q>>
deep 100 <<WITH a AS ( >>SELECT 1<<) SELECT * FROM a>>
deep 1000 SELECT 1<< COLLATE NOCASE>><< >>
deep 62 SELECT * FROM users<< NATURAL JOIN users>><< >>
deep 120 SELECT count(*) FROM users<<, agents>><< >>
deep 2000 SELECT 1<<, 1>><< >>
deep 2000 VALUES (1)<<, (1)>><< >>
