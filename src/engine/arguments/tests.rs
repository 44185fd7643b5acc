//! Arguments as models and clients write them.

use ::time::{OffsetDateTime, macros::datetime};
use serde_json::json;

use super::*;
use crate::catalog::Catalog;

fn parameters(value: Value) -> Parameters {
    serde_json::from_value(value).unwrap()
}

const NOW: OffsetDateTime = datetime!(2026-11-20 11:02 UTC);

fn checked(declared: Value, given: Value, spelling: Spelling) -> Result<Checked, String> {
    let given = given.as_object().cloned().unwrap();
    let catalog = Catalog::default();
    let reading = Reading { spelling, now: NOW, catalog: &catalog };
    check(&parameters(declared), &given, &reading).map_err(|error| error.to_text())
}

fn run(declared: Value, given: Value, spelling: Spelling) -> Result<Value, String> {
    checked(declared, given, spelling).map(|checked| Value::Object(checked.values))
}

#[test]
fn defaults_fill_in_and_every_mistake_is_named() {
    let declared = json!({
        "service": { "type": "string", "max_length": 5 },
        "top": { "type": "integer", "default": 10, "minimum": 1, "maximum": 50 },
        "kind": { "type": "string", "enum": ["errors", "latency"], "required": true },
    });
    let ok = run(declared.clone(), json!({"kind": "latency"}), Spelling::Json).unwrap();
    assert_eq!(ok, json!({"service": null, "top": 10, "kind": "latency"}));
    let error = run(declared, json!({"servise": "x", "top": 99, "kind": "latncy"}), Spelling::Json).unwrap_err();
    for piece in
        ["`servise` is not a parameter; did you mean `service`?", "`top` must be at most 50", "did you mean `latency`?"]
    {
        assert!(error.contains(piece), "{error}");
    }
}

#[test]
fn an_unknown_property_is_told_with_those_that_there_are() {
    let declared = json!({ "a": { "type": "object", "properties": {
        "service_name": { "type": "string" }, "start": { "type": "timestamp" },
    } } });
    let error = run(declared, json!({ "a": { "svc": "x" } }), Spelling::Json).unwrap_err();
    assert!(error.contains("`svc` is not a parameter; it takes `service_name`, `start`"), "{error}");
}

#[test]
fn a_bound_of_one_is_told_in_the_singular() {
    let declared = json!({ "x": { "type": "array", "items": "string", "max_length": 1 }, "y": { "type": "array", "items": "string", "min_length": 1, "required": true } });
    let error = run(declared, json!({ "x": ["a", "b"], "y": [] }), Spelling::Json).unwrap_err();
    assert!(error.contains("at most 1 item") && !error.contains("1 items"), "{error}");
    assert!(error.contains("at least 1 item") && !error.contains("at least 1 items"), "{error}");
}

#[test]
fn types_are_checked_in_json_and_read_from_text() {
    for (ty, text, value) in [
        ("integer", "5", json!(5)),
        ("number", "2.5", json!(2.5)),
        ("boolean", "true", json!(true)),
        ("array", "a, b", json!(["a", "b"])),
        ("object", "{\"a\":1}", json!({"a": 1})),
        ("time_range", "24h", json!("24h")),
        ("timestamp", "2026-11-20T10:00:00Z", json!("2026-11-20T10:00:00Z")),
        ("uuid", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", json!("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")),
    ] {
        let declared = json!({ "x": { "type": ty } });
        assert_eq!(run(declared.clone(), json!({ "x": text }), Spelling::Text).unwrap()["x"], value);
        assert_eq!(run(declared.clone(), json!({ "x": value }), Spelling::Json).unwrap()["x"], value);
        assert!(run(declared.clone(), json!({ "x": [[1]] }), Spelling::Json).is_err(), "{ty}");
    }
}

#[test]
fn what_means_one_thing_only_is_taken_however_it_is_written() {
    for (ty, given, read) in [
        (json!({"type": "integer"}), json!(20.0), json!(20)),
        (json!({"type": "integer"}), json!("20"), json!(20)),
        (json!({"type": "integer"}), json!(" 20.0 "), json!(20)),
        (json!({"type": "integer", "default": 7}), json!(""), json!(7)),
        (json!({"type": "integer", "default": 7}), json!(null), json!(7)),
        (json!({"type": "number"}), json!("99.9"), json!(99.9)),
        (json!({"type": "number"}), json!("5"), json!(5)),
        (json!({"type": "boolean"}), json!("True"), json!(true)),
        (json!({"type": "boolean"}), json!(0), json!(false)),
        (json!({"type": "string"}), json!(500), json!("500")),
        (json!({"type": "string"}), json!(u64::MAX), json!("18446744073709551615")),
        (json!({"type": "string"}), json!(1.5), json!("1.5")),
        (json!({"type": "string"}), json!(" a\u{200b}"), json!(" a\u{200b}")),
        (json!({"type": "integer"}), json!("\u{feff}20\u{200b}"), json!(20)),
        (json!({"type": "boolean"}), json!("true\u{a0}"), json!(true)),
        (json!({"type": "timestamp"}), json!("\u{200b}now-1h"), json!("2026-11-20T10:02:00Z")),
        (json!({"type": "string", "enum": ["warn", "error"]}), json!("Error\u{200b}"), json!("error")),
        (json!({"type": "string", "enum": ["a"]}), json!("Any"), json!(null)),
        (json!({"type": "string"}), json!(true), json!("true")),
        (json!({"type": "string"}), json!(""), json!(null)),
        (json!({"type": "string", "required": true, "min_length": 0}), json!(""), json!("")),
        (json!({"type": "string", "required": true, "min_length": 0}), json!(" \n"), json!(" \n")),
        (json!({"type": "string", "min_length": 0}), json!(""), json!("")),
        (json!({"type": "string", "min_length": 2}), json!(""), json!(null)),
        (json!({"type": "string", "enum": ["warn", "error"]}), json!("ERROR"), json!("error")),
        (json!({"type": "string", "enum": ["root-cause"]}), json!("root_cause"), json!("root-cause")),
        (json!({"type": "string", "enum": ["feature_flag"]}), json!("Feature Flag"), json!("feature_flag")),
        (json!({"type": "string", "enum": ["a", "none"], "default": "a"}), json!("None"), json!("none")),
        (json!({"type": "string", "enum": ["a"], "default": "a"}), json!("null"), json!("a")),
        (json!({"type": "string", "enum": ["a"]}), json!("any"), json!(null)),
        (json!({"type": "string", "enum": ["any"]}), json!("any"), json!("any")),
        (json!({"type": "time_range"}), json!("1 hour"), json!("1h")),
        (json!({"type": "time_range"}), json!("now-90m"), json!("90m")),
        (json!({"type": "timestamp"}), json!(1_795_168_800), json!("2026-11-20T10:00:00Z")),
        (json!({"type": "timestamp"}), json!(1_795_168_800_000_i64), json!("2026-11-20T10:00:00Z")),
        (json!({"type": "timestamp"}), json!("1795168800"), json!("2026-11-20T10:00:00Z")),
        (json!({"type": "timestamp"}), json!("now-1h"), json!("2026-11-20T10:02:00Z")),
        (json!({"type": "timestamp"}), json!("2026-11-20 10:00"), json!("2026-11-20T10:00:00Z")),
        (json!({"type": "array", "items": "string"}), json!("checkout"), json!(["checkout"])),
        (json!({"type": "array", "items": "string"}), json!("[\"a\",\"b\"]"), json!(["a", "b"])),
        (json!({"type": "array", "items": "string"}), json!([1, true]), json!(["1", "true"])),
        (json!({"type": "array", "items": "integer"}), json!(["1", 2.0]), json!([1, 2])),
        (json!({"type": "object"}), json!([]), json!({})),
        (json!({"type": "object"}), json!("{\"a\": 1}"), json!({"a": 1})),
        (
            json!({"type": "object", "properties": {"n": {"type": "integer"}, "o": {"type": "string"}}}),
            json!({"n": "1", "o": ""}),
            json!({"n": 1, "o": null}),
        ),
        (
            json!({"type": "uuid"}),
            json!("6F9619FF-8B86-4D01-B42D-00CF4FC964FF"),
            json!("6f9619ff-8b86-4d01-b42d-00cf4fc964ff"),
        ),
    ] {
        assert_eq!(run(json!({ "x": ty }), json!({ "x": given }), Spelling::Json), Ok(json!({ "x": read })), "{given}");
    }
    for (ty, wrong) in [
        (json!({"type": "integer"}), json!(1.5)),
        (json!({"type": "integer"}), json!("1,000")),
        (json!({"type": "integer"}), json!("twenty")),
        (json!({"type": "integer"}), json!(true)),
        (json!({"type": "integer"}), json!(1e300)),
        (json!({"type": "string"}), json!(12_345_678_901_234_567_890_123.0)),
        (json!({"type": "string"}), json!(1e22)),
        (json!({"type": "string"}), json!(0.123_456_789_012_345_68)),
        (json!({"type": "array", "items": "string"}), json!([1e22])),
        (json!({"type": "number"}), json!("inf")),
        (json!({"type": "boolean"}), json!("yes")),
        (json!({"type": "boolean"}), json!(2)),
        (json!({"type": "string", "enum": ["a", "A"]}), json!("á")),
        (json!({"type": "string", "enum": ["ab", "aB"]}), json!("AB")),
        (json!({"type": "string", "enum": ["a"], "required": true}), json!("")),
        (json!({"type": "string", "enum": ["a"], "required": true}), json!("any")),
        (json!({"type": "string", "enum": ["a"], "default": "a"}), json!("any")),
        (json!({"type": "string"}), json!({})),
        (json!({"type": "array", "items": "string"}), json!("a,b")),
        (json!({"type": "array", "items": "string"}), json!([null])),
        (json!({"type": "object"}), json!("a=b")),
        (json!({"type": "object"}), json!([1])),
        (json!({"type": "object", "properties": {"n": {"type": "integer"}}}), json!({"m": 1})),
        (json!({"type": "time_range"}), json!(60)),
        (json!({"type": "time_range"}), json!("1M")),
        (json!({"type": "time_range"}), json!("5s")),
        (json!({"type": "timestamp"}), json!(20)),
        (json!({"type": "timestamp"}), json!("yesterday")),
        (json!({"type": "timestamp"}), json!(true)),
        (json!({"type": "uuid"}), json!("x")),
    ] {
        for spelling in [Spelling::Json, Spelling::Text] {
            if spelling == Spelling::Text && wrong == json!("a,b") {
                continue;
            }
            assert!(run(json!({ "x": ty }), json!({ "x": wrong }), spelling).is_err(), "{ty} {wrong}");
        }
    }
}

#[test]
fn what_was_made_of_a_value_is_said() {
    let declared = json!({
        "start": { "type": "timestamp", "aliases": ["from"] },
        "time_range": { "type": "time_range" },
        "kind": { "type": "string", "enum": ["root-cause"] },
        "names": { "type": "array", "items": "string" },
        "filters": { "type": "object", "properties_from": "contexts", "properties": { "severity": { "type": "string" } } },
    });
    for (given, note) in [
        (
            json!({"from": "2026-11-20T10:00:00"}),
            "`from` `2026-11-20T10:00:00` was read as 2026-11-20T10:00:00Z (it names no zone)",
        ),
        (json!({"start": 1_795_168_800}), "`start` `1795168800` was read as 2026-11-20T10:00:00Z (seconds since 1970)"),
        (json!({"start": "now-1h"}), "`start` `now-1h` was read as 2026-11-20T10:02:00Z"),
        (json!({"time_range": "60 min"}), "`time_range` `60 min` was read as 1h"),
        (
            json!({"names": ["a", 1.1]}),
            "`names` was not taken as it stands: item 2 was a number and is read as the text `1.1`; write it in quotes if it \
             ended in zeros",
        ),
        (json!({"kind": "root_cause"}), "`kind` `root_cause` was read as `root-cause`"),
        (json!({"severity": "error"}), "`severity` was taken as one of `filters`"),
    ] {
        assert_eq!(checked(declared.clone(), given, Spelling::Json).unwrap().notes, [note]);
    }
    for given in [json!({"start": "2026-11-20T12:00:00+02:00"}), json!({"time_range": "60m"}), json!({"kind": ""})] {
        assert_eq!(checked(declared.clone(), given, Spelling::Json).unwrap().notes, [""; 0]);
    }
}

#[test]
fn one_parameter_under_two_names_has_one_value() {
    let declared = json!({ "service_name": { "type": "string", "aliases": ["service"] } });
    for given in [
        json!({"service": "a"}),
        json!({"service_name": "a"}),
        json!({"service_name": "a", "service": "a"}),
        json!({"service_name": "", "service": "a"}),
        json!({"service_name": "a", "service": null}),
    ] {
        assert_eq!(run(declared.clone(), given, Spelling::Json), Ok(json!({"service_name": "a"})));
    }
    let error = run(declared.clone(), json!({"service_name": "a", "service": "b"}), Spelling::Json).unwrap_err();
    assert!(error.contains("`service_name` and `service` are one parameter and have two values"), "{error}");
    let error = run(declared, json!({"service": []}), Spelling::Json).unwrap_err();
    assert!(error.contains("`service` must be text"), "{error}");
}

#[test]
fn filters_beside_their_object_join_it_and_a_null_says_nothing() {
    let declared = json!({ "filters": {
        "type": "object", "properties_from": "contexts",
        "properties": { "severity": { "type": "string" }, "host": { "type": "string" } },
    } });
    for (given, filters) in [
        (json!({"severity": "error"}), json!({"severity": "error"})),
        (json!({"severity": "error", "filters": null}), json!({"severity": "error"})),
        (json!({"severity": "error", "filters": ""}), json!({"severity": "error"})),
        (json!({"severity": "error", "filters": {"host": "a"}}), json!({"host": "a", "severity": "error"})),
        (json!({"severity": "error", "filters": {"severity": null}}), json!({"severity": "error"})),
        (json!({"severity": null, "host": ""}), json!(null)),
    ] {
        assert_eq!(run(declared.clone(), given, Spelling::Json), Ok(json!({ "filters": filters })));
    }
    let twice = json!({"severity": "error", "filters": {"severity": "warn"}});
    assert!(run(declared.clone(), twice, Spelling::Json).unwrap_err().contains("with two values"));
    assert!(run(declared, json!({"severty": "error"}), Spelling::Json).is_err());
}

#[test]
fn a_schema_of_a_definition_is_read_as_leniently() {
    let source = json!({
        "type": "object",
        "properties": {
            "n": { "type": "integer", "maximum": 50 }, "on": { "type": "boolean" }, "text": { "type": "string" },
            "kind": { "type": "string", "enum": ["warn", "error"] }, "any": {}, "list": { "type": "array" },
        },
        "required": ["text"],
        "additionalProperties": false,
    });
    let schema = Schema::new(source.as_object().cloned().unwrap());
    let catalog = Catalog::default();
    let read = |given: Value| {
        let reading = Reading { spelling: Spelling::Json, now: NOW, catalog: &catalog };
        check_schema(&schema, given.as_object().unwrap(), &reading).map(|checked| checked.values)
    };
    for (given, name, value) in [
        (json!({"text": "", "n": 20.0}), "n", json!(20)),
        (json!({"text": "", "n": "20"}), "n", json!(20)),
        (json!({"text": "", "n": null}), "n", json!(null)),
        (json!({"text": "", "kind": "ERROR"}), "kind", json!("error")),
        (json!({"text": "", "kind": ""}), "kind", json!(null)),
        (json!({"text": "", "on": "true"}), "on", json!(true)),
        (json!({"text": 5}), "text", json!("5")),
        (json!({"text": "", "any": "5"}), "any", json!("5")),
        (json!({"text": "", "list": "[1]"}), "list", json!([1])),
    ] {
        assert_eq!(read(given.clone()).unwrap_or_else(|error| panic!("{given}: {error}"))[name], value, "{given}");
    }
    for given in [json!({"text": "", "n": "99"}), json!({"n": 1}), json!({"text": "", "m": 1}), json!({"text": [1]})] {
        assert!(read(given).is_err());
    }
}

/// A blank names nothing: what is found with it would be about everything.
#[test]
fn a_required_text_of_blanks_is_missing() {
    let declared = json!({ "service": { "type": "string", "required": true, "max_length": 255 } });
    for blank in ["", " ", "\t\n", "\u{200b}"] {
        for spelling in [Spelling::Json, Spelling::Text] {
            let error = run(declared.clone(), json!({ "service": blank }), spelling).unwrap_err();
            assert!(error.contains("`service` is required"), "{blank:?}: {error}");
        }
    }
}
