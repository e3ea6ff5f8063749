//! What is no command, and what the caller is told of it.

use super::*;
use crate::Code;

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, code: Code, message: &str) {
    let error = result.unwrap_err();

    assert_eq!((error.code(), error.to_string().as_str()), (code, message));
}

#[track_caller]
fn read_refused(arguments: &Json, code: Code, message: &str) {
    refused(query(&things(), arguments), code, message);
}

#[track_caller]
fn filter_refused(filter: &Json, code: Code, message: &str) {
    read_refused(&json!({"where": filter}), code, message);
}

#[track_caller]
fn write_refused(operation: Operation, arguments: &Json, code: Code, message: &str) {
    refused(write(&things(), operation, arguments), code, message);
}

#[test]
fn arguments_that_are_not_the_operation_s_are_refused() {
    read_refused(
        &json!({"data": {}}),
        Code::BadRequest,
        "read takes no argument `data`; it takes where, filters, fields, order_by, limit, offset, after, big_ints",
    );
    read_refused(
        &json!({"where": {}, "filters": {}}),
        Code::BadRequest,
        "`where` and `filters` mean the same; give one of them",
    );
    write_refused(
        Operation::Create,
        &json!({}),
        Code::BadRequest,
        "create needs the argument `data`",
    );
    write_refused(
        Operation::Delete,
        &json!({"where": 1, "limit": 1}),
        Code::BadRequest,
        "delete takes no argument `limit`; it takes where, filters, all, dry_run, big_ints",
    );
}

#[test]
fn unknown_fields_and_lookups_are_named() {
    for (filter, at, field) in [
        (json!({"nmae": 1}), "where.nmae", "nmae"),
        (
            json!({"_connector": "OR"}),
            "where._connector",
            "_connector",
        ),
        (json!({"_negated": true}), "where._negated", "_negated"),
        (json!({"__proto__": {}}), "where.__proto__", ""),
        (
            json!({"or": [{"name": "a"}, {"x\"; DROP TABLE": 1}]}),
            "where.or[1].x\"; DROP TABLE",
            "x\"; DROP TABLE",
        ),
    ] {
        let message = format!("`things` has no field `{field}` (in `{at}`)");
        filter_refused(&filter, Code::UnknownField, &message);
    }
    let int = "int fields take exact, ne, gt, gte, lt, lte, in, nin, isnull, range";
    for (key, lookup) in [
        ("age__", ""),
        ("id__exact__gt", "exact__gt"),
        ("age__contains", "contains"),
        ("age__regex", "regex"),
        ("age__EXACT", "EXACT"),
    ] {
        let message = format!("no lookup `{lookup}` (in `where.{key}`); {int}");
        filter_refused(&json!({key: 1}), Code::UnknownLookup, &message);
    }
    filter_refused(
        &json!({"extra__exact": {}}),
        Code::UnknownLookup,
        "no lookup `exact` (in `where.extra__exact`); json fields take isnull",
    );
}

#[test]
fn values_that_do_not_fit_say_what_would() {
    for (filter, message) in [
        (
            json!({"age": "1"}),
            "`where.age` must be a whole number of 64 bits, not that string",
        ),
        (
            json!({"age": 1.5}),
            "`where.age` must be a whole number of 64 bits, not that number",
        ),
        (
            json!({"name": 1}),
            "`where.name` must be a string without U+0000, not that number",
        ),
        (
            json!({"ok": 1}),
            "`where.ok` must be true or false, not that number",
        ),
        (
            json!({"price": 1}),
            "`where.price` must be a decimal string of at most 34 digits, such as \"12.50\", not that number",
        ),
        (
            json!({"day": "2024-2-1"}),
            "`where.day` must be a date string such as \"2026-01-31\", not that string",
        ),
        (
            json!({"name__isnull": null}),
            "`where.name__isnull` must be true or false, not null",
        ),
        (
            json!({"name__isnull": 1}),
            "`where.name__isnull` must be true or false, not that number",
        ),
        (
            json!({"age__in": 1}),
            "`where.age__in` must be an array of at most 500 values, not that number",
        ),
        (
            json!({"age__in": [1, "2"]}),
            "`where.age__in[1]` must be a whole number of 64 bits, not that string",
        ),
        (
            json!({"age__range": [1]}),
            "`where.age__range` must be an array of two values, not an array of 1",
        ),
        (
            json!([1]),
            "`where` must be an object or a primary key, not an array of 1",
        ),
        (
            json!("x"),
            "`where` must be a whole number of 64 bits, not that string",
        ),
    ] {
        filter_refused(&filter, Code::BadValue, message);
    }
}

#[test]
fn null_goes_with_no_other_lookup() {
    for lookup in [
        "gt",
        "gte",
        "lt",
        "lte",
        "contains",
        "iexact",
        "startswith",
        "iendswith",
        "isnull",
        "range",
    ] {
        let error = query(
            &things(),
            &json!({"where": {format!("name__{lookup}"): null}}),
        )
        .unwrap_err();
        assert_eq!(error.code(), Code::BadValue, "{lookup}");
    }
    let range = query(&things(), &json!({"where": {"age__range": [1, null]}})).unwrap_err();
    assert_eq!(range.code(), Code::BadValue);
}

#[test]
fn groups_have_something_in_them() {
    for (filter, message) in [
        (
            json!({"or": []}),
            "`where.or` must be an array of one or more filters, not an array of 0",
        ),
        (
            json!({"and": {}}),
            "`where.and` must be an array of one or more filters, not an object of 0",
        ),
        (
            json!({"not": {}}),
            "`where.not` must be an object with one or more conditions, not an object of 0",
        ),
        (
            json!({"or": [{}]}),
            "`where.or[0]` must be an object with one or more conditions, not an object of 0",
        ),
        (
            json!({"or": [1]}),
            "`where.or[0]` must be an object with one or more conditions, not that number",
        ),
    ] {
        filter_refused(&filter, Code::BadValue, message);
    }
}

#[test]
fn filters_have_bounds() {
    let nested =
        |depth: usize| (0..depth).fold(json!({"age": 1}), |inner, _| json!({"not": inner}));
    let wide = |width: usize| json!({"or": vec![json!({"age": 1}); width]});
    let many = |count: usize| json!({"age__in": vec![1; count]});

    for (fits, too_much) in [
        (nested(4), nested(5)),
        (wide(50), wide(51)),
        (many(500), many(501)),
        (nested(1), nested(1000)),
    ] {
        assert!(query(&things(), &json!({"where": fits})).is_ok());
        let error = query(&things(), &json!({"where": too_much})).unwrap_err();
        assert_eq!(error.code(), Code::BadValue);
    }
}

#[test]
fn pages_are_counted_in_whole_numbers() {
    for name in ["limit", "offset"] {
        for wrong in [
            json!(-1),
            json!("10"),
            json!(1.5),
            json!(u64::MAX),
            json!([]),
        ] {
            let message = match Given::of(&wrong) {
                Given::String => "not that string",
                Given::Array(_) => "not an array of 0",
                _ => "not that number",
            };
            let message = format!("`{name}` must be a whole number, zero or more, {message}");
            read_refused(&json!({name: wrong}), Code::BadValue, &message);
        }
    }
    read_refused(
        &json!({"offset": 1, "after": "x"}),
        Code::BadValue,
        "`after` must be given without `offset`, not that string",
    );
    assert!(query(&things(), &json!({"limit": null, "offset": null})).is_ok());
}

#[test]
fn orders_are_fields_and_directions() {
    let sorts = |json: Json| -> Vec<(String, Direction)> {
        let query = query(&things(), &json!({"order_by": json})).unwrap();
        let sorts = query.order.sorts().iter();
        sorts
            .map(|sort| (sort.field.name.clone(), sort.direction))
            .collect()
    };
    let (up, down) = (Direction::Ascending, Direction::Descending);
    let expect = |name: &str, direction| (name.to_owned(), direction);

    assert_eq!(
        sorts(json!("at DESC, id")),
        [expect("at", down), expect("id", up)]
    );
    assert_eq!(sorts(json!("-at")), [expect("at", down), expect("id", up)]);
    assert_eq!(
        sorts(json!(["name", "age desc"])),
        [expect("name", up), expect("age", down), expect("id", up)]
    );
    assert_eq!(sorts(json!("id desc")), [expect("id", down)]);
    assert_eq!(sorts(Json::Null), [expect("id", up)]);

    for wrong in [
        json!(""),
        json!([]),
        json!("age up"),
        json!("-age asc"),
        json!("a b c"),
        json!(1),
        json!(["age", 1]),
    ] {
        let error = query(&things(), &json!({"order_by": wrong})).unwrap_err();
        assert_eq!(error.code(), Code::BadValue, "{wrong}");
    }
    read_refused(
        &json!({"order_by": "(select"}),
        Code::UnknownField,
        "`things` has no field `(select` (in `order_by`)",
    );
    for name in ["extra", "file"] {
        let error = query(&things(), &json!({"order_by": name})).unwrap_err();
        assert_eq!(error.code(), Code::BadValue, "{name}");
    }
    let nine = "id, name, code, age, score, price, ok, at, day";
    assert_eq!(
        query(&things(), &json!({"order_by": nine}))
            .unwrap_err()
            .code(),
        Code::BadValue
    );
    assert_eq!(
        query(&things(), &json!({"order_by": "age, age"}))
            .unwrap_err()
            .code(),
        Code::BadValue
    );
}

#[test]
fn every_row_is_touched_only_by_those_who_say_so() {
    let update = |filter: Json| json!({"data": {"age": 1}, "where": filter});
    for filter in [
        json!({}),
        json!({"id__isnull": false}),
        json!({"name__ne": null}),
        json!({"age__nin": []}),
        json!({"not": {"age__in": []}}),
        json!({"name__contains": ""}),
        json!({"or": [{"age": 1}, {"age__ne": 1}]}),
        json!({"or": [{"age": 1}, {"not": {"age": 1}}]}),
        json!({"and": [{"id__nin": []}, {"or": [{"age": 1}, {"age__nin": []}]}]}),
    ] {
        write_refused(
            Operation::Update,
            &update(filter.clone()),
            Code::BadValue,
            "this update has a filter that admits every row; say `\"all\": true` if that is meant",
        );
        let mut meant = update(filter);
        meant["all"] = json!(true);
        assert!(write(&things(), Operation::Update, &meant).is_ok());
    }
    write_refused(
        Operation::Delete,
        &json!({}),
        Code::BadValue,
        "this delete has a filter that admits every row; say `\"all\": true` if that is meant",
    );
    for operation in [Operation::Update, Operation::Delete] {
        let mut arguments = json!({"where": null, "all": true});
        if operation == Operation::Update {
            arguments["data"] = json!({"age": 1});
        }
        write_refused(
            operation,
            &arguments,
            Code::BadValue,
            "`where` must be an object or a primary key; leave it out for every row, not null",
        );
    }
}

#[test]
fn rows_to_be_written_satisfy_their_fields() {
    for (operation, arguments, message) in [
        (
            Operation::Update,
            json!({"data": {}, "where": 1}),
            "`data` must be an object with one or more fields, not an object of 0",
        ),
        (
            Operation::Update,
            json!({"data": {"id": 2}, "where": 1}),
            "`data.id` must be left out: a row keeps its primary key, not an object of 1",
        ),
        (
            Operation::Update,
            json!({"data": {"name": null}, "where": 1}),
            "`data.name` must be a string without U+0000, not null",
        ),
        (
            Operation::Create,
            json!({"data": []}),
            "`data` must be an object with one or more fields, not an array of 0",
        ),
        (
            Operation::Create,
            json!({"data": [{"name": "a"}, 1]}),
            "`data[1]` must be an object with one or more fields, not that number",
        ),
        (
            Operation::Create,
            json!({"data": {"name": "a"}, "idempotency_key": ""}),
            "`idempotency_key` must be a string of 1 to 255 bytes, not that string",
        ),
        (
            Operation::Upsert,
            json!({"data": {"name": "a"}}),
            "`data` must be given with its primary key or a unique field, not null",
        ),
        (
            Operation::Upsert,
            json!({"data": {"name": "a", "age": 1}, "conflict_fields": ["age"]}),
            "`conflict_fields` must be the primary key, a unique field or the fields of a unique index, not an array of 1",
        ),
        (
            Operation::Upsert,
            json!({"data": {"name": "a"}, "conflict_fields": ["code"]}),
            "`conflict_fields` must be fields with a value in `data`, unlike `code`, not an array of 1",
        ),
        (
            Operation::Upsert,
            json!({"data": {"name": "a", "code": null}, "conflict_fields": "code"}),
            "`conflict_fields` must be fields with a value in `data`, unlike `code`, not that string",
        ),
    ] {
        write_refused(operation, &arguments, Code::BadValue, message);
    }
    write_refused(
        Operation::Create,
        &json!({"data": {"nmae": 1}}),
        Code::UnknownField,
        "`things` has no field `nmae` (in `data.nmae`)",
    );
    write_refused(
        Operation::Create,
        &json!({"data": {"name": "a"}, "dry_run": "yes"}),
        Code::BadValue,
        "`dry_run` must be true or false, not that string",
    );
}

#[test]
fn digit_strings_are_numbers_only_where_asked_for() {
    let big = json!({"where": {"age": "9007199254740993"}, "big_ints": "string"});
    let filter = query(&things(), &big).unwrap().filter;

    let age = Arc::clone(things().field("age").unwrap());
    let expected = Filter::test(&age, Lookup::Exact(Value::Int(9_007_199_254_740_993)));
    assert_eq!(filter, expected);
    for wrong in ["", "1.0", "x", "99999999999999999999"] {
        let arguments = json!({"where": {"age": wrong}, "big_ints": "string"});
        assert_eq!(
            query(&things(), &arguments).unwrap_err().code(),
            Code::BadValue
        );
    }
}

#[test]
fn one_row_is_meant_by_a_scalar_or_by_get() {
    let shape = |arguments: Json, get: bool| {
        let query = query(&things(), &arguments).unwrap();
        if get {
            query.as_get().shape
        } else {
            query.shape
        }
    };

    assert_eq!(shape(json!({"where": 1}), false), Shape::One);
    assert_eq!(shape(json!({"where": {"id": 1}}), false), Shape::Rows);
    assert_eq!(shape(json!({"where": {"id": 1}}), true), Shape::One);
    assert_eq!(
        shape(json!({"where": {"id": 1, "age": 2}}), true),
        Shape::Rows
    );
    assert_eq!(shape(json!({"where": {"age": 1}}), true), Shape::Rows);
    assert_eq!(shape(json!({"where": null}), false), Shape::Rows);
}

#[test]
fn no_error_is_as_long_as_what_it_is_about() {
    let long = "x".repeat(1 << 20);
    for arguments in [
        json!({&*long: 1}),
        json!({"where": {&*long: 1}}),
        json!({"where": {format!("age__{long}"): 1}}),
        json!({"fields": [long]}),
        json!({"order_by": long}),
    ] {
        let error = query(&things(), &arguments).unwrap_err();
        let told = format!("{error} {}", json!(error.details()));
        assert!(told.len() < 2000, "{} bytes", told.len());
    }
}

#[test]
fn no_error_repeats_a_value() {
    let secret = "hunter2";
    for arguments in [
        json!({"where": {"age": secret}}),
        json!({"where": {"day__in": [secret]}}),
        json!({"limit": secret}),
    ] {
        let error = query(&things(), &arguments).unwrap_err();
        let told = format!("{error} {:?}", error.details());
        assert!(!told.contains(secret), "{told}");
    }
}
