//! What holds for any rows and any request.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// JSON of any shape, with the language's own words in it more often than chance would have it.
fn any_json() -> impl Strategy<Value = Json> {
    let word = prop_oneof![
        Just("and"),
        Just("or"),
        Just("not"),
        Just("id"),
        Just("age"),
        Just("age__in"),
        Just("name__icontains"),
        Just("where"),
        Just("data"),
        Just("order_by"),
        Just("limit"),
        Just("after"),
        Just("all"),
        Just("fields"),
        Just("-age"),
        Just("price__range"),
        Just("at"),
        Just("conflict_fields"),
        Just("big_ints"),
        Just("string"),
    ];
    let text = prop_oneof![word.prop_map(str::to_owned), "\\PC{0,6}"];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        text.clone().prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::from),
            vec((text.clone(), inner), 0..5)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

fn row() -> impl Strategy<Value = Json> {
    let maybe = |values: BoxedStrategy<Json>| prop_oneof![1 => Just(Json::Null), 3 => values];
    let age = maybe((-2..3_i64).prop_map(Json::from).boxed());
    let name = "[aAäÄ%]{0,3}".prop_map(Json::from);
    let price = maybe(
        (-20..20_i64)
            .prop_map(|tenths| json!(format!("{}.{}", tenths / 10, (tenths % 10).abs())))
            .boxed(),
    );
    let ok = maybe(any::<bool>().prop_map(Json::from).boxed());
    (age, name, price, ok).prop_map(
        |(age, name, price, ok)| json!({"age": age, "name": name, "price": price, "ok": ok}),
    )
}

fn condition() -> impl Strategy<Value = Json> {
    let ordered = prop_oneof![
        Just("gt"),
        Just("gte"),
        Just("lt"),
        Just("lte"),
        Just("exact"),
        Just("ne")
    ];
    let texts = prop_oneof![
        Just("contains"),
        Just("icontains"),
        Just("startswith"),
        Just("istartswith"),
        Just("endswith"),
        Just("iexact"),
    ];
    prop_oneof![
        (ordered.clone(), -2..3_i64)
            .prop_map(|(lookup, value)| json!({format!("age__{lookup}"): value})),
        (ordered, "-?[0-2]\\.[0-9]")
            .prop_map(|(lookup, value)| json!({format!("price__{lookup}"): value})),
        (texts, "[aAäÄ%]{0,2}")
            .prop_map(|(lookup, value)| json!({format!("name__{lookup}"): value})),
        vec(prop::option::of(-2..3_i64), 0..3).prop_map(|values| json!({"age__in": values})),
        vec(prop::option::of(-2..3_i64), 0..3).prop_map(|values| json!({"age__nin": values})),
        any::<bool>().prop_map(|is| json!({"ok__isnull": is})),
        (-2..3_i64, -2..3_i64).prop_map(|(from, to)| json!({"age__range": [from, to]})),
    ]
}

fn filter() -> impl Strategy<Value = Json> {
    condition().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..3).prop_map(|parts| json!({"and": parts})),
            vec(inner.clone(), 1..3).prop_map(|parts| json!({"or": parts})),
            inner.prop_map(|part| json!({"not": part})),
        ]
    })
}

fn order() -> impl Strategy<Value = Json> {
    let sort = (
        prop_oneof![
            Just("age"),
            Just("name"),
            Just("price"),
            Just("ok"),
            Just("id")
        ],
        any::<bool>(),
    );
    vec(sort, 0..4).prop_map(|sorts| {
        let mut named: Vec<String> = Vec::new();
        for (name, down) in sorts {
            if !named
                .iter()
                .any(|other| other.trim_start_matches('-') == name)
            {
                named.push(format!("{}{name}", if down { "-" } else { "" }));
            }
        }
        if named.is_empty() {
            Json::Null
        } else {
            json!(named)
        }
    })
}

fn desk(rows: &[Json]) -> Desk {
    let desk = Desk::open(things());
    if !rows.is_empty() {
        desk.fill(&json!(rows));
    }
    desk
}

fn rows_of(desk: &Desk, arguments: &Json) -> Vec<Json> {
    let rows = desk.read(arguments).unwrap();
    rows.as_array().unwrap().clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_json_is_a_command_or_an_error(json in any_json()) {
        let model = things();
        let wrapped = json!({"where": json, "data": json, "order_by": json, "fields": json, "limit": json});
        for arguments in [&json, &wrapped] {
            let Json::Object(map) = arguments else { continue };
            let _ = Query::parse(&model, map);
            for operation in Operation::ALL {
                let _ = Write::parse(&model, operation, map);
            }
        }
        for (key, value) in json.as_object().into_iter().flatten() {
            for operation in Operation::ALL {
                let _ = Write::parse(&model, operation, object(&json!({key: value, "data": value, "where": json})));
            }
        }
    }

    #[test]
    fn not_finds_exactly_the_other_rows(rows in vec(row(), 0..12), filter in filter()) {
        let desk = desk(&rows);

        let found = rows_of(&desk, &json!({"where": filter}));
        let others = rows_of(&desk, &json!({"where": {"not": filter}}));

        prop_assert_eq!(found.len() + others.len(), rows.len());
        prop_assert!(found.iter().all(|row| !others.contains(row)));
    }

    #[test]
    fn a_filter_that_is_seen_to_be_trivial_finds_everything(rows in vec(row(), 0..8), filter in filter()) {
        let desk = desk(&rows);
        let trivial = query(&desk.model, &json!({"where": filter})).unwrap().filter.is_trivial();

        let found = rows_of(&desk, &json!({"where": filter})).len();

        prop_assert!(!trivial || found == rows.len());
    }

    #[test]
    fn pages_put_together_are_the_whole_answer(
        rows in vec(row(), 0..12), filter in filter(), order in order(), limit in 1..5_u64,
    ) {
        let desk = desk(&rows);
        let guest = Identity::guest();
        let whole = rows_of(&desk, &json!({"where": filter, "order_by": order}));

        let (mut paged, mut after) = (Vec::new(), Json::Null);
        loop {
            let arguments = json!({"where": filter, "order_by": order, "limit": limit, "after": after});
            let page = desk.rows_as(&guest, &arguments).unwrap();
            paged.extend(serde_json::from_slice::<Vec<Json>>(&page.json).unwrap());
            match page.next {
                Some(next) => after = json!(next),
                None => break,
            }
        }
        let by_offset: Vec<Json> = (0..=whole.len() as u64)
            .step_by(usize::try_from(limit).unwrap())
            .flat_map(|offset| {
                rows_of(&desk, &json!({"where": filter, "order_by": order, "limit": limit, "offset": offset}))
            })
            .collect();

        prop_assert_eq!(&paged, &whole);
        prop_assert_eq!(&by_offset, &whole);
    }

    #[test]
    fn a_sorted_answer_is_in_order(rows in vec(row(), 0..12), order in order()) {
        let desk = desk(&rows);
        let by = query(&desk.model, &json!({"order_by": order})).unwrap().order;

        let sorted = rows_of(&desk, &json!({"order_by": order}));

        let in_order = |pair: &[Json]| by.compare(object(&pair[0]), object(&pair[1])).is_lt();
        prop_assert!(sorted.windows(2).all(in_order));
    }

    #[test]
    fn equal_queries_and_only_those_have_equal_bytes(one in filter(), two in filter()) {
        let model = things();
        let of = |filter: &Json| query(&model, &json!({"where": filter})).unwrap();

        prop_assert_eq!(of(&one).canonical() == of(&two).canonical(), of(&one) == of(&two));
    }
}
