//! The policy `jwt` as a plugin: its settings, and what makes it of them. Reads the file of keys, and no other.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::{Jwt, JwtError, JwtKey};
use crate::auth::AuthPolicy;
use crate::code::Code;
use crate::error::Error;
use crate::plugin::Plugin;
use crate::secret::Secret;
use crate::settings::{Key, Settings};

/// The settings of the section `jwt`.
const KEYS: &[Key] = &[
    Key::choice("jwt.algorithm", &["HS256", "RS256", "EdDSA"])
        .env("ZCOMM_JWT_ALGORITHM")
        .default("HS256")
        .doc("What `jwt.key` is for; a token says nothing about it."),
    Key::text("jwt.key")
        .env("ZCOMM_JWT_KEY")
        .secret()
        .doc("The shared secret (HS256, 32 bytes or more) or the issuer's public key in PEM; `jwt.key_file` names a file that has it."),
    Key::path("jwt.jwks")
        .env("ZCOMM_JWT_JWKS")
        .doc("A file with the issuer's key set, instead of `jwt.key` or besides it; read at the start."),
    Key::list("jwt.issuer")
        .env("ZCOMM_JWT_ISSUER")
        .default("")
        .doc("The issuers whose tokens are believed; none believes any that has the key."),
    Key::list("jwt.audience")
        .env("ZCOMM_JWT_AUDIENCE")
        .default("")
        .doc("For whom tokens may be made; none takes tokens that are made for nobody in particular."),
    Key::duration("jwt.leeway")
        .env("ZCOMM_JWT_LEEWAY")
        .default("60s")
        .between(0, 86_400_000)
        .doc("How far the issuer's clock may be off."),
    Key::text("jwt.user_claim")
        .env("ZCOMM_JWT_USER_CLAIM")
        .default("sub")
        .doc("The claim that names the user."),
    Key::text("jwt.app_claim")
        .env("ZCOMM_JWT_APP_CLAIM")
        .default("app")
        .doc("The claim that names the application."),
    Key::list("jwt.roles_claims")
        .env("ZCOMM_JWT_ROLES_CLAIMS")
        .default("roles, role")
        .doc("The claims that hold the roles; the first that a token has counts."),
    Key::flag("jwt.allow_endless")
        .env("ZCOMM_JWT_ALLOW_ENDLESS")
        .default("false")
        .doc("Whether tokens without an end are believed."),
];

/// JSON Web Tokens, as the policy `jwt`.
pub const PLUGIN_JWT: Plugin = Plugin::new("jwt", env!("CARGO_PKG_NAME"))
    .keys(KEYS)
    .policy(make_policy);

inventory::submit!(PLUGIN_JWT);

/// Larger than any key set; what is larger is some other file.
const LIMIT: u64 = 1024 * 1024;

fn make_policy(settings: &Settings) -> Result<Arc<dyn AuthPolicy>, Error> {
    let keys = keys(settings).map_err(|error| Error::other(Code::Internal, error))?;
    let mut policy = Jwt::new(keys).roles_claims(settings.list("jwt.roles_claims").iter().cloned());
    for name in settings.list("jwt.issuer") {
        policy = policy.issuer(name);
    }
    for name in settings.list("jwt.audience") {
        policy = policy.audience(name);
    }
    if let Some(leeway) = settings.duration("jwt.leeway") {
        policy = policy.leeway(leeway);
    }
    if let Some(name) = settings.text("jwt.user_claim") {
        policy = policy.user_claim(name);
    }
    if let Some(name) = settings.text("jwt.app_claim") {
        policy = policy.app_claim(name);
    }
    if settings.flag("jwt.allow_endless") {
        policy = policy.allow_endless();
    }
    Ok(Arc::new(policy))
}

fn keys(settings: &Settings) -> Result<Vec<JwtKey>, JwtError> {
    let mut keys = match settings.path("jwt.jwks") {
        Some(path) => JwtKey::all_of_jwks(&read(path)?)?,
        None => Vec::new(),
    };
    if let Some(secret) = settings.secret("jwt.key").filter(|key| !key.is_empty()) {
        keys.push(one_key(settings.text("jwt.algorithm"), secret)?);
    }
    if keys.is_empty() {
        return Err(JwtError::NoKey);
    }
    Ok(keys)
}

fn one_key(algorithm: Option<&str>, key: &Secret) -> Result<JwtKey, JwtError> {
    if is_path(key.expose().trim()) {
        return Err(JwtError::PathAsKey);
    }
    match algorithm {
        Some("RS256") => JwtKey::rs256_pem(key.expose()),
        Some("EdDSA") => JwtKey::eddsa_pem(key.expose()),
        _ => JwtKey::hs256(key),
    }
}

fn read(path: &Path) -> Result<String, JwtError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LIMIT).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(source) => Err(JwtError::JwksUnreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Whether it is the name of a file rather than what would be in it. A secret in base64 may begin with `/`, too.
fn is_path(key: &str) -> bool {
    let path = Path::new(key);
    let begins = ["./", "../", "~/", ".\\", "..\\"];
    let ends = ["pem", "key", "pub", "crt", "cer", "der", "txt", "json"];
    let extension = path.extension().and_then(|extension| extension.to_str());
    begins.iter().any(|start| key.starts_with(start))
        || extension.is_some_and(|found| ends.contains(&found))
        || path.is_file()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
    use serde_json::{Value, json};

    use super::*;
    use crate::auth::Credentials;
    use crate::caller::Peer;
    use crate::registry::Registry;
    use crate::settings::Loader;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn make(jwt: &Value) -> Result<Arc<dyn AuthPolicy>, String> {
        let settings = Loader::new(KEYS).spark(json!({ "jwt": jwt })).load();
        let policy = Registry::linked()
            .unwrap()
            .policy("jwt", &settings.unwrap());
        policy.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn every_setting_reaches_the_policy() {
        let policy = make(&json!({
            "key": SECRET,
            "issuer": ["https://id.example"],
            "audience": ["shop"],
            "leeway": "2h",
            "user_claim": "name",
            "app_claim": "client",
            "roles_claims": ["groups"],
        }));
        let claims = json!({
            "iss": "https://id.example",
            "aud": "shop",
            "exp": get_current_timestamp() - 3600,
            "name": "ada",
            "client": "till",
            "groups": ["admin"],
        });
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();

        let given = Credentials::token(token);
        let who = policy
            .unwrap()
            .identify(&given, &Peer::in_process())
            .await
            .unwrap();

        assert_eq!(
            (who.name(), who.app(), who.has_role("admin")),
            (Some("ada"), "till", true)
        );
    }

    #[test]
    fn keys_come_from_a_setting_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwks.json");
        std::fs::write(&path, include_str!("tests/jwks.json")).unwrap();

        let from_file = make(&json!({ "jwks": path }));
        let from_pem =
            make(&json!({ "algorithm": "rs256", "key": include_str!("tests/rsa.public.pem") }));

        assert_eq!((from_file.err(), from_pem.err()), (None, None));
    }

    #[test]
    fn without_a_usable_key_there_is_no_policy() {
        let error = |jwt: Value| make(&jwt).err().unwrap();

        assert_eq!(
            error(json!({})),
            "JSON Web Tokens need a key: set `jwt.key` or `jwt.jwks`"
        );
        assert_eq!(
            error(json!({ "key": "short" })),
            "the secret for HS256 has 5 bytes; it needs at least 32"
        );
        for path in [
            "/etc/zcomm/keys/of-the-issuer-2027.pem",
            "~/keys/of-the-issuer-for-2027-and-2028",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ] {
            assert_eq!(
                error(json!({ "key": path })),
                "`jwt.key` is the name of a file; `jwt.key_file` (ZCOMM_JWT_KEY_FILE) takes names",
                "{path}"
            );
        }
        assert_eq!(
            error(json!({ "jwks": "/nowhere/jwks.json" })),
            "could not read the key set `/nowhere/jwks.json`"
        );
    }
}
