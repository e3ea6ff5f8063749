//! The same request gives the same answer on every store: this is that answer.

use super::*;

/// Four rows: the second has a NULL everywhere it can.
fn desk() -> Desk {
    let desk = Desk::open(things());
    desk.fill(&json!([
        {"name": "Ada", "code": "a", "age": 36, "score": 1.5, "price": "10", "ok": true,
         "at": "2024-01-01T00:00:00Z", "day": "2024-01-01", "ref": "00000000-0000-4000-8000-000000000001",
         "extra": {"b": 1, "a": [null]}, "file": "AP8="},
        {"name": "Nil"},
        {"name": "ÄDA", "code": "B", "age": -1, "score": 2, "price": "9.99", "ok": false,
         "at": "2023-12-31T23:00:00-02:00", "day": "2023-12-31", "ref": "F0000000-0000-4000-8000-000000000001"},
        {"name": "ada%_\\", "code": "b", "age": 9_007_199_254_740_993_i64, "score": 1e300, "price": "-0.5",
         "ok": true, "at": "2024-01-01T00:00:00.001Z", "day": "9999-12-31"}
    ]));
    desk
}

#[track_caller]
fn finds(filter: Json, expected: Json) {
    assert_eq!(desk().ids(&filter), expected, "{filter}");
}

#[test]
fn exact_and_in_match_null_by_null() {
    finds(json!({"age": null}), json!([2]));
    finds(json!({"age__in": [null, 36]}), json!([1, 2]));
    finds(json!({"age__in": [36]}), json!([1]));
    finds(json!({"age__in": []}), json!([]));
}

#[test]
fn ne_and_nin_hold_for_null() {
    finds(json!({"age__ne": 36}), json!([2, 3, 4]));
    finds(json!({"age__ne": null}), json!([1, 3, 4]));
    finds(json!({"age__nin": [36]}), json!([2, 3, 4]));
    finds(json!({"age__nin": [null]}), json!([1, 3, 4]));
    finds(json!({"age__nin": []}), json!([1, 2, 3, 4]));
}

#[test]
fn any_other_comparison_with_null_is_false_and_not_negates_plainly() {
    for (condition, expected) in [
        (json!({"age__gt": 0}), json!([1, 4])),
        (json!({"age__lte": 36}), json!([1, 3])),
        (json!({"age__range": [-1, 36]}), json!([1, 3])),
        (json!({"age__range": [36, -1]}), json!([])),
        (json!({"code__contains": "b"}), json!([4])),
        (json!({"code__iexact": "b"}), json!([3, 4])),
        (json!({"code__startswith": ""}), json!([1, 3, 4])),
    ] {
        finds(condition.clone(), expected.clone());
        let all = [1, 2, 3, 4].map(Json::from);
        let others = all
            .into_iter()
            .filter(|id| !expected.as_array().unwrap().contains(id));
        finds(json!({"not": condition}), others.collect());
    }
}

#[test]
fn isnull_tells_null_from_the_rest() {
    finds(json!({"age__isnull": true}), json!([2]));
    finds(json!({"extra__isnull": true}), json!([2, 3, 4]));
    finds(json!({"file__isnull": false}), json!([1]));
}

#[test]
fn contains_minds_case_and_nothing_is_a_wildcard() {
    finds(json!({"name__contains": "ada"}), json!([4]));
    finds(json!({"name__icontains": "DA"}), json!([1, 3, 4]));
    finds(json!({"name__contains": "%"}), json!([4]));
    finds(json!({"name__contains": "_"}), json!([4]));
    finds(json!({"name__endswith": "\\"}), json!([4]));
    finds(json!({"name__startswith": "A"}), json!([1]));
    finds(json!({"name__istartswith": "äd"}), json!([3]));
    finds(json!({"name__iendswith": "DA"}), json!([1, 3]));
    finds(json!({"name__iexact": "äda"}), json!([3]));
    finds(json!({"name": "ada"}), json!([]));
}

#[test]
fn strings_compare_by_code_point() {
    finds(json!({"code__gt": "B"}), json!([1, 4]));
    finds(json!({"name__gt": "ada"}), json!([3, 4]));
}

#[test]
fn other_types_compare_as_what_they_are() {
    finds(json!({"price__lt": "10.00"}), json!([3, 4]));
    finds(json!({"price": "9.990"}), json!([3]));
    finds(json!({"at__gt": "2024-01-01T00:00:00Z"}), json!([3, 4]));
    finds(json!({"at": "2024-01-01T02:00:00+01:00"}), json!([3]));
    finds(
        json!({"day__range": ["2023-12-31", "2024-01-01"]}),
        json!([1, 3]),
    );
    finds(
        json!({"ref": "f0000000-0000-4000-8000-000000000001"}),
        json!([3]),
    );
    finds(json!({"score__gte": 2}), json!([3, 4]));
    finds(json!({"age": 9_007_199_254_740_993_i64}), json!([4]));
    finds(json!({"age": 9_007_199_254_740_992_i64}), json!([]));
    finds(json!({"file": "AP8="}), json!([1]));
    finds(json!({"ok__gt": false}), json!([1, 4]));
}

#[test]
fn groups_nest() {
    finds(
        json!({"or": [{"age": 36}, {"and": [{"ok": true}, {"not": {"code": "a"}}]}], "name__icontains": "a"}),
        json!([1, 4]),
    );
}

#[test]
fn nulls_come_first_upwards_and_last_downwards() {
    let order = |by: &str| {
        let rows = desk()
            .read(&json!({"order_by": by, "fields": ["id"]}))
            .unwrap();
        let ids = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_i64().unwrap());
        ids.collect::<Vec<_>>()
    };

    assert_eq!(order("age"), [2, 3, 1, 4]);
    assert_eq!(order("-age"), [4, 1, 3, 2]);
    assert_eq!(order("price"), [2, 4, 3, 1]);
    assert_eq!(order("name"), [1, 2, 4, 3]);
    assert_eq!(order("ok, id desc"), [2, 3, 4, 1]);
    assert_eq!(order("-at"), [3, 4, 1, 2]);
}

#[test]
fn rows_come_in_their_canonical_form() {
    let rows = desk()
        .rows_as(&Identity::guest(), &json!({"where": 3}))
        .unwrap();

    assert_eq!(
        std::str::from_utf8(&rows.one()).unwrap(),
        r#"{"id":3,"name":"ÄDA","code":"B","age":-1,"score":2.0,"price":"9.99","ok":false,"at":"2024-01-01T01:00:00.000Z","day":"2023-12-31","ref":"f0000000-0000-4000-8000-000000000001","extra":null,"file":null}"#
    );
}

#[test]
fn large_integers_are_strings_where_asked_for() {
    let age = |arguments: Json| desk().read(&arguments).unwrap()[0]["age"].clone();

    let number = json!({"where": {"id": 4}});
    let string = json!({"where": {"id": 4}, "big_ints": "string"});
    assert_eq!(age(number), json!(9_007_199_254_740_993_i64));
    assert_eq!(age(string), json!("9007199254740993"));
    assert_eq!(
        age(json!({"where": {"id": 1}, "big_ints": "string"})),
        json!(36)
    );
}

#[test]
fn a_lone_key_that_is_not_there_is_null() {
    let rows = desk()
        .rows_as(&Identity::guest(), &json!({"where": 99}))
        .unwrap();

    assert_eq!(&rows.one()[..], b"null");
}
