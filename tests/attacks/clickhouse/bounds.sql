== large-results: rows without end
cost SELECT count() FROM numbers(1000000000000)
cost SELECT sum(number) FROM system.numbers
cost SELECT count() FROM numbers_mt(10000000000000)
cost SELECT number FROM system.numbers ORDER BY cityHash64(number) LIMIT 1
cost SELECT uniqExact(number) FROM numbers(2000000000)
cost SELECT count() FROM logs a, logs b, logs c, logs d, logs e, logs f, logs g
cost SELECT count() FROM logs a CROSS JOIN traces b CROSS JOIN metrics c CROSS JOIN audit_logs d CROSS JOIN logs e CROSS JOIN traces f
cost SELECT arrayJoin(range(100000000)) AS x FROM logs ORDER BY sipHash64(x)
cost SELECT count() FROM (SELECT arrayJoin(range(1000000)) FROM (SELECT arrayJoin(range(1000000))))
cost SELECT groupArray(body) FROM logs ARRAY JOIN range(100000000) AS x
cost SELECT body FROM logs LIMIT 1 BY arrayJoin(range(100000000))
cost SELECT timestamp FROM logs ORDER BY timestamp WITH FILL FROM toDateTime64('1970-01-01', 9) TO now64(9) STEP 1
cost WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count() FROM t
cost WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t, logs, traces) SELECT sum(n) FROM t
cost SELECT * FROM logs ORDER BY body WITH FILL
cost SELECT count() FROM loop(logs)

== folded-constants: values that are made while the statement is analysed
cost SELECT arrayFold((acc, x) -> acc + x, range(100000000), toUInt64(0))
cost SELECT length(arrayMap(x -> sipHash64(x), range(100000000)))
cost SELECT length(repeat('a', 1000000000))
cost SELECT length(repeat(repeat('a', 1000000), 1000000))
cost SELECT arraySort(x -> sipHash64(x), range(50000000))[1]
cost SELECT length(arrayFlatten(arrayMap(x -> range(x), range(30000))))
cost SELECT length(space(1000000000))
cost SELECT length(leftPad('a', 1000000000, 'b'))
cost SELECT arrayDistinct(arrayMap(x -> toString(x), range(50000000)))[1]
cost SELECT toString(bitmapBuild(range(50000000)))
cost SELECT length(replaceAll(repeat('a', 1000000), 'a', repeat('b', 100000)))
cost SELECT length(arrayStringConcat(arrayMap(x -> toString(x), range(50000000))))
cost SELECT arrayReduce('uniqExact', range(100000000))
cost SELECT length(arrayResize([1], 1000000000))
cost SELECT length(arrayWithConstant(1000000000, 'x'))
cost SELECT length(format('{0}{0}{0}{0}{0}{0}{0}{0}', repeat('a', 200000000)))
cost SELECT ngramDistance(repeat('ab', 10000000), repeat('ba', 10000000))
cost SELECT editDistance(repeat('a', 60000), repeat('b', 60000))
cost SELECT damerauLevenshteinDistance(repeat('a', 60000), repeat('b', 60000))
cost SELECT arrayExists(x -> arrayExists(y -> x * y = -1, range(100000)), range(100000))
cost SELECT factorial(20), arrayProduct(range(100000000))
cost SELECT arrayCumSum(range(100000000))[1]
cost SELECT length(arrayShuffle(range(100000000)))
cost SELECT length(randomString(1000000000)), length(fuzzBits(repeat('a', 500000000), 0.5))
cost SELECT sum(x) FROM (SELECT arrayJoin(arrayMap(x -> x + 1, range(200000000))) AS x)
cost SELECT length(toString(range(100000000)))
cost SELECT length(base64Encode(repeat('a', 900000000)))
cost SELECT length(encodeXMLComponent(repeat('<', 500000000)))
cost SELECT mapApply((k, v) -> (k, repeat(v, 1000000)), map('a', repeat('b', 1000)))
cost SELECT polygonAreaCartesian([[arrayMap(x -> (toFloat64(x), toFloat64(x * x)), range(10000000))]])

== expensive-patterns: patterns and states that cost much
cost SELECT match(repeat('a', 1000000), '(a*)*b')
cost SELECT match(repeat('a', 1000000), '(((((a{1,100}){1,100}){1,100})))b')
cost SELECT extractAllGroups(repeat('ab', 1000000), '(a)(b)')
cost SELECT multiMatchAnyIndex(repeat('a', 1000000), ['(a+)+b', '(a|aa)+c'])
cost SELECT multiFuzzyMatchAny(repeat('a', 100000), 100, ['abcabcabcabc'])
cost SELECT countSubstrings(repeat('a', 10000000), repeat('a', 1000000))
cost SELECT position(repeat('a', 100000000), repeat('a', 50000000) || 'b')
cost SELECT repeat('a', 1000000) LIKE '%a%a%a%a%a%a%a%a%a%a%a%b'
cost SELECT replaceRegexpAll(repeat('a', 10000000), 'a', '\\0\\0\\0\\0\\0\\0\\0\\0')
cost SELECT quantilesExact(0.1, 0.5)(number) FROM numbers(1000000000)
cost SELECT groupArray(number) FROM numbers(1000000000)
cost SELECT groupConcat(toString(number)) FROM numbers(1000000000)
cost SELECT sumMap([number], [number]) FROM numbers(100000000)
cost SELECT number, count() FROM numbers(1000000000) GROUP BY number ORDER BY number LIMIT 1
cost SELECT sequenceMatch('(?1).*(?2).*(?1).*(?2)')(toDateTime(number), number % 2 = 0, number % 3 = 0) FROM numbers(100000000)
cost SELECT groupBitmap(number) FROM numbers(10000000000)
cost SELECT windowFunnel(1000000000)(toUInt32(number), number % 2, number % 3) FROM numbers(100000000)
cost SELECT largestTriangleThreeBuckets(100000)(number, number) FROM numbers(100000000)
cost SELECT sum(n) OVER (ORDER BY cityHash64(n)) FROM (SELECT number AS n FROM numbers(100000000))

== deep-nesting: texts that nest until a parser's stack ends
deep 300 SELECT <<( >>1<<) >>
deep 3000 SELECT <<( >>1<<) >>
deep 900 SELECT <<NOT >>1<< >>
deep 2000 SELECT <<- >>1<< >>
deep 150 SELECT <<(SELECT >>1<<) >>
deep 1000 SELECT <<CASE WHEN 1 THEN >>1<< END>>
deep 1500 SELECT <<abs( >>1<<) >>
deep 1500 SELECT <<[ >>1<<] >>
deep 800 SELECT 1<<+1 >><< >>
deep 2500 SELECT 1<< OR 1>><< >>
deep 500 SELECT 1<< UNION ALL SELECT 1>><< >>
deep 200 SELECT * FROM <<(SELECT * FROM >>logs<<) >>
deep 100 <<WITH a AS ( >>SELECT 1<<) SELECT * FROM a>>
deep 1000 SELECT 1<<::String>><< >>
deep 60 SELECT count() FROM logs<<, logs>><< >>
deep 12 SELECT <<tuple( >>*<< ), *>> FROM logs
deep 25 WITH 1 AS x<<, (x, x) AS x >><< >> SELECT x
deep 500 SELECT <<x -> >>1<< >>
deep 60 SELECT CAST('', '<<Array( >>String<<) >>')
