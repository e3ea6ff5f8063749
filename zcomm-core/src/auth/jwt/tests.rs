//! Tokens as honest issuers make them, and as attackers do. The keys beside were made for these tests and open nothing.

use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};

use super::*;
use crate::identity::DEFAULT_APP;
use crate::secret::Secret;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const RSA_PRIVATE: &str = include_str!("tests/rsa.private.pem");
const RSA_PUBLIC: &str = include_str!("tests/rsa.public.pem");
const ED_PRIVATE: &str = include_str!("tests/ed.private.pem");
const ED_PUBLIC: &str = include_str!("tests/ed.public.pem");
const JWKS: &str = include_str!("tests/jwks.json");

fn secret_key() -> JwtKey {
    JwtKey::hs256(&Secret::new(SECRET)).unwrap()
}

fn policy() -> Jwt {
    Jwt::new([secret_key()])
}

fn after(seconds: u64) -> u64 {
    get_current_timestamp() + seconds
}

fn before(seconds: u64) -> u64 {
    get_current_timestamp() - seconds
}

/// Claims of a valid token, and these besides or instead.
fn claims(other: &Value) -> Value {
    let mut claims = json!({"sub": "ada", "exp": after(600)});
    for (name, value) in other.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn sign(header: &Header, claims: &Value) -> String {
    let key = match header.alg {
        Algorithm::RS256 => EncodingKey::from_rsa_pem(RSA_PRIVATE.as_bytes()).unwrap(),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(ED_PRIVATE.as_bytes()).unwrap(),
        _ => EncodingKey::from_secret(SECRET.as_bytes()),
    };
    encode(header, claims, &key).unwrap()
}

fn named(algorithm: Algorithm, kid: &str) -> Header {
    let kid = Some(kid.to_owned());
    Header {
        kid,
        ..Header::new(algorithm)
    }
}

/// A token by HS256 with these claims besides or instead.
fn token(other: &Value) -> String {
    sign(&Header::new(Algorithm::HS256), &claims(other))
}

fn identify(policy: &Jwt, token: impl Into<Secret>) -> Result<Identity, String> {
    let verdict = policy.judge(&Credentials::token(token));
    verdict.map_err(|refusal| refusal.to_string())
}

#[track_caller]
fn check_user(policy: &Jwt, token: String) {
    assert_eq!(identify(policy, token).unwrap().name(), Some("ada"));
}

/// That a token is refused, and for the reason that is meant.
#[track_caller]
fn check_refused(policy: &Jwt, token: &str, because: &str) {
    assert_eq!(policy.claims(token).unwrap_err(), because);
    assert_eq!(identify(policy, token), Err("Invalid token".to_owned()));
}

#[test]
fn each_kind_of_key_verifies_its_tokens() {
    let keys = [
        (secret_key(), Algorithm::HS256),
        (JwtKey::rs256_pem(RSA_PUBLIC).unwrap(), Algorithm::RS256),
        (JwtKey::eddsa_pem(ED_PUBLIC).unwrap(), Algorithm::EdDSA),
    ];

    for (key, algorithm) in keys {
        check_user(
            &Jwt::new([key]),
            sign(&Header::new(algorithm), &claims(&json!({}))),
        );
    }
}

#[test]
fn without_a_token_authentication_is_required() {
    let refusal = policy().judge(&Credentials::none()).unwrap_err();

    assert!(matches!(refusal, Refusal::AuthenticationRequired));
}

#[test]
fn a_public_key_is_no_secret_to_sign_with() {
    // The classic confusion: HS256 with the bytes of the public key, which everybody has.
    let policy = Jwt::new([JwtKey::rs256_pem(RSA_PUBLIC).unwrap()]);

    for bytes in [RSA_PUBLIC.as_bytes(), RSA_PUBLIC.trim().as_bytes()] {
        let forged = encode(
            &Header::default(),
            &claims(&json!({})),
            &EncodingKey::from_secret(bytes),
        );
        check_refused(
            &policy,
            &forged.unwrap(),
            "signed by another algorithm than the key's",
        );
    }
}

#[test]
fn an_algorithm_that_is_not_the_keys_is_refused() {
    let rsa = Jwt::new([JwtKey::rs256_pem(RSA_PUBLIC).unwrap()]);
    let key = EncodingKey::from_rsa_pem(RSA_PRIVATE.as_bytes()).unwrap();

    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let token = encode(&Header::new(algorithm), &claims(&json!({})), &key).unwrap();
        check_refused(&rsa, &token, "signed by another algorithm than the key's");
    }
    let rs256 = sign(&Header::new(Algorithm::RS256), &claims(&json!({})));
    check_refused(
        &policy(),
        &rs256,
        "signed by another algorithm than the key's",
    );
}

#[test]
fn a_token_without_a_signature_is_refused() {
    let encoded = |value: Value| {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
    };
    let payload = encoded(claims(&json!({})));

    for algorithm in ["none", "None", "NONE", ""] {
        let header = encoded(json!({"alg": algorithm, "typ": "JWT"}));
        check_refused(&policy(), &format!("{header}.{payload}."), "malformed");
    }
    let header = encoded(json!({"alg": "HS256"}));
    check_refused(
        &policy(),
        &format!("{header}.{payload}."),
        "the signature is wrong",
    );
}

#[test]
fn a_changed_token_is_refused() {
    let (one, other) = (token(&json!({})), token(&json!({"roles": ["admin"]})));
    let parts: Vec<&str> = one.split('.').collect();
    let others: Vec<&str> = other.split('.').collect();

    let mixed = format!("{}.{}.{}", parts[0], others[1], parts[2]);

    check_refused(&policy(), &mixed, "the signature is wrong");
}

#[test]
fn what_is_no_token_is_refused() {
    let policy = policy();
    let long = "a".repeat(LONGEST + 1);

    for text in [
        "a",
        "..",
        "a.b.c",
        "a.b.c.d",
        "e30.e30.",
        "\u{0}.\u{0}.\u{0}",
        "ä.ö.ü",
    ] {
        check_refused(&policy, text, "malformed");
    }
    check_refused(&policy, &long, "longer than any token");
}

#[test]
fn time_is_judged_with_leeway() {
    let strict = policy().leeway(Duration::ZERO);

    check_user(&policy(), token(&json!({"exp": before(30)})));
    check_refused(&strict, &token(&json!({"exp": before(30)})), "expired");
    check_refused(&policy(), &token(&json!({"exp": before(90)})), "expired");
    check_user(&policy(), token(&json!({"nbf": after(30)})));
    check_refused(&strict, &token(&json!({"nbf": after(30)})), "not yet valid");
    check_refused(
        &policy(),
        &token(&json!({"nbf": after(90)})),
        "not yet valid",
    );
    check_refused(
        &policy(),
        &token(&json!({"nbf": "soon"})),
        "a claim is of another type",
    );
}

#[test]
fn a_leeway_beyond_all_measure_breaks_nothing() {
    let lax = policy().leeway(Duration::MAX);

    check_user(&lax, token(&json!({"exp": before(3600)})));
    check_refused(&lax, &token(&json!({"exp": before(25 * 3600)})), "expired");
}

#[test]
fn the_identity_ends_with_the_token_and_its_leeway() {
    let end = after(100);

    let who = identify(&policy(), token(&json!({"exp": end}))).unwrap();
    let late = identify(&policy(), token(&json!({"exp": before(30)}))).unwrap();

    let expected = std::time::UNIX_EPOCH + Duration::from_secs(end + 60);
    assert_eq!(who.expires(), Some(expected));
    assert!(!late.is_expired(std::time::SystemTime::now()));
}

#[test]
fn a_token_must_end_unless_that_is_waived() {
    let endless = sign(&Header::default(), &json!({"sub": "ada"}));
    let waived = policy().allow_endless();

    check_refused(&policy(), &endless, "a required claim is missing");
    assert_eq!(identify(&waived, endless).unwrap().expires(), None);
    check_refused(&waived, &token(&json!({"exp": before(90)})), "expired");
    check_refused(
        &waived,
        &token(&json!({"exp": "never"})),
        "a claim is of another type",
    );
    assert!(
        identify(&waived, token(&json!({"exp": u64::MAX}))).is_err(),
        "no instant is that late"
    );
}

#[test]
fn the_issuer_must_be_one_of_those_named() {
    let picky = policy()
        .issuer("https://a.example")
        .issuer("https://b.example");

    check_user(&picky, token(&json!({"iss": "https://b.example"})));
    check_refused(
        &picky,
        &token(&json!({"iss": "https://b.example/"})),
        "of another issuer",
    );
    check_refused(&picky, &token(&json!({})), "a required claim is missing");
    check_refused(
        &picky,
        &token(&json!({"iss": 7})),
        "a required claim is missing",
    );
}

#[test]
fn the_audience_must_be_one_of_those_named() {
    let picky = policy().audience("shop");

    check_user(&picky, token(&json!({"aud": "shop"})));
    check_user(&picky, token(&json!({"aud": ["bank", "shop"]})));
    check_refused(
        &picky,
        &token(&json!({"aud": "bank"})),
        "for another audience",
    );
    check_refused(&picky, &token(&json!({"aud": []})), "for another audience");
    check_refused(&picky, &token(&json!({})), "a required claim is missing");
    // RFC 7519 §4.1.3: who does not find themselves in the audience rejects the token.
    check_refused(
        &policy(),
        &token(&json!({"aud": "shop"})),
        "for another audience",
    );
}

#[test]
fn a_key_set_verifies_by_the_name_of_the_key() {
    let policy = Jwt::new(JwtKey::all_of_jwks(JWKS).unwrap());
    let signed = |header: &Header| sign(header, &claims(&json!({})));

    check_user(&policy, signed(&named(Algorithm::RS256, "rsa-1")));
    check_user(&policy, signed(&named(Algorithm::EdDSA, "ed-1")));
    let unknown = "names a key that is not here";
    check_refused(&policy, &signed(&named(Algorithm::RS256, "rsa-2")), unknown);
    check_refused(&policy, &signed(&named(Algorithm::RS256, "enc-1")), unknown);
    check_refused(&policy, &signed(&Header::new(Algorithm::RS256)), unknown);
    let other = "signed by another algorithm than the key's";
    check_refused(&policy, &signed(&named(Algorithm::EdDSA, "rsa-1")), other);
    check_refused(&policy, &signed(&named(Algorithm::HS256, "rsa-1")), other);
}

#[test]
fn a_key_without_a_name_takes_any_name_and_an_only_key_needs_none() {
    let signed = |header: &Header| sign(header, &claims(&json!({})));
    let only = Jwt::new([secret_key().id("2027")]);
    let mixed = Jwt::new([JwtKey::eddsa_pem(ED_PUBLIC).unwrap().id("ed"), secret_key()]);

    check_user(&policy(), signed(&named(Algorithm::HS256, "whatever")));
    check_user(&only, signed(&Header::default()));
    check_refused(
        &only,
        &signed(&named(Algorithm::HS256, "2026")),
        "names a key that is not here",
    );
    check_user(&mixed, signed(&Header::default()));
    check_user(&mixed, signed(&named(Algorithm::EdDSA, "ed")));
    check_refused(
        &Jwt::new([]),
        &signed(&Header::default()),
        "names a key that is not here",
    );
}

#[test]
fn a_token_that_asks_for_extensions_is_refused() {
    let header = Header {
        crit: Some(vec!["b64".to_owned()]),
        ..Header::default()
    };

    check_refused(
        &policy(),
        &sign(&header, &claims(&json!({}))),
        "asks for an extension",
    );
}

#[test]
fn a_key_inside_the_token_counts_for_nothing() {
    let jwk = json!({"kty": "oct", "k": "c29tZWJvZHktZWxzZXMtc2VjcmV0LW9mLTMyLWJ5dGVz"});
    let header = Header {
        jwk: Some(serde_json::from_value(jwk).unwrap()),
        ..Header::default()
    };
    let theirs = EncodingKey::from_secret(b"somebody-elses-secret-of-32-bytes");

    let forged = encode(&header, &claims(&json!({})), &theirs).unwrap();

    check_refused(&policy(), &forged, "the signature is wrong");
}

#[test]
fn claims_become_user_application_and_roles() {
    let who = |other: Value| identify(&policy(), token(&other)).unwrap();
    let roles = |other: Value| {
        let who = who(other);
        who.roles()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };

    assert_eq!(who(json!({"app": "shop"})).app(), "shop");
    assert_eq!(who(json!({"app": null})).app(), DEFAULT_APP);
    assert_eq!(roles(json!({"roles": ["b", "a"], "role": "c"})), ["a", "b"]);
    assert_eq!(roles(json!({"role": "super admin"})), ["super admin"]);
    assert_eq!(roles(json!({"roles": null, "role": "c"})), ["c"]);
    assert_eq!(roles(json!({"scope": "admin"})), Vec::<String>::new());
    assert_eq!(roles(json!({"roles": ["guest"]})), Vec::<String>::new());
}

#[test]
fn claims_of_another_type_are_refused() {
    let wrong = [
        json!({"sub": 7}),
        json!({"sub": null}),
        json!({"sub": "  "}),
        json!({"sub": ["ada"]}),
        json!({"app": 7}),
        json!({"app": ""}),
        json!({"roles": 7}),
        json!({"roles": {"admin": true}}),
        json!({"roles": ["a", 7]}),
    ];

    for other in wrong {
        assert_eq!(
            identify(&policy(), token(&other)),
            Err("Invalid token".to_owned()),
            "{other}"
        );
    }
}

#[test]
fn claims_can_have_other_names() {
    let policy = policy()
        .user_claim("https://id.example/name")
        .app_claim("client.name")
        .roles_claims(["realm_access.roles", "scope"]);
    let token = |other: Value| {
        let claims = json!({"https://id.example/name": "eve", "client": {"name": "shop"}});
        let mut claims = tests::claims(&claims);
        claims
            .as_object_mut()
            .unwrap()
            .extend(other.as_object().unwrap().clone());
        sign(&Header::default(), &claims)
    };
    let eve = Identity::user("eve").with_app("shop");

    let nested = identify(
        &policy,
        token(json!({"realm_access": {"roles": ["admin"]}})),
    )
    .unwrap();
    let scopes = identify(&policy, token(json!({"scope": "read  write"}))).unwrap();

    let end = nested.expires().unwrap();
    assert_eq!(nested, eve.clone().with_roles(["admin"]).expiring(end));
    let end = scopes.expires().unwrap();
    assert_eq!(scopes, eve.with_roles(["read", "write"]).expiring(end));
}

#[test]
fn the_application_of_the_caller_counts_only_where_the_token_names_none() {
    let app = |other: Value| {
        let given = Credentials {
            app: Some("bank".to_owned()),
            ..Credentials::token(token(&other))
        };
        policy().judge(&given).unwrap().app().to_owned()
    };

    assert_eq!(app(json!({"app": "shop"})), "shop");
    assert_eq!(app(json!({})), "bank");
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", policy());

    assert!(
        shown.contains("HS256") && !shown.contains(SECRET),
        "{shown}"
    );
}
