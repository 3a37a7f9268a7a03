//! Checks a world beyond the types of its fields.

use std::collections::{BTreeMap, HashSet};

use allocation::KINDS;
use ram::Policy;

use super::{Finding, World, WorldAccount, finding};

/// Finds a field that is malformed or contradicts another.
pub(super) fn check(world: &World) -> Result<(), Finding> {
    let mut seen = Seen::default();
    for (account_id, account) in &world.accounts {
        let at = ["Accounts", account_id.as_str()];
        if account_id.len() != 16 || !is_digits(account_id) {
            return Err(finding(&at, "invalid account id, expected 16 digits"));
        }
        check_identities(account, &at, &mut seen)?;
        check_resources(account, &at, &mut seen)?;
    }
    Ok(())
}

fn check_resources<'a>(
    account: &'a WorldAccount,
    at: &[&'a str],
    seen: &mut Seen<'a>,
) -> Result<(), Finding> {
    for ((position, id), document) in &account.resources {
        let kind = KINDS[*position];
        let at = match kind.world {
            None | Some("") => at.to_vec(),
            Some(member) => [at, &[member, id]].concat(),
        };
        // An empty field means the id.
        let below = |field: &'static str| {
            let steps = field.split('.').filter(|name| !name.is_empty());
            at.iter().copied().chain(steps).collect::<Vec<&str>>()
        };
        if let Err(flaw) = document.check() {
            return Err(finding(&below(flaw.field), flaw.message));
        }
        for (field, text) in document.unique() {
            if !seen.insert((kind.name, field, text.clone())) {
                return Err(finding(&below(field), not_unique(&text)));
            }
        }
    }
    Ok(())
}

fn check_identities<'a>(
    account: &'a WorldAccount,
    at: &[&'a str],
    seen: &mut Seen<'a>,
) -> Result<(), Finding> {
    let mut access_key = |at: &[&'a str], id: &'a str, secret: &str, is_temporary: bool| {
        let at = [at, &[id]].concat();
        if id.is_empty() || id.starts_with(TEMPORARY) != is_temporary {
            let form = if is_temporary {
                "an id that begins"
            } else {
                "a non-empty id that does not begin"
            };
            let message = format!("invalid access key id, expected {form} with {TEMPORARY}");
            return Err(finding(&at, message));
        }
        if secret.is_empty() {
            return Err(finding(&[&at[..], &["AccessKeySecret"]].concat(), "empty"));
        }
        seen.once("access-key", id, &at)
    };
    let below = |names: &[&'a str]| [at, names].concat();
    for (id, key) in &account.access_keys {
        access_key(&below(&["AccessKeys"]), id, &key.access_key_secret, false)?;
    }
    for (name, user) in &account.ram_users {
        let at = below(&["RamUsers", name]);
        for (id, key) in &user.access_keys {
            access_key(&[&at[..], &["AccessKeys"]].concat(), id, &key.access_key_secret, false)?;
        }
    }
    for (name, role) in &account.ram_roles {
        let at = below(&["RamRoles", name, "Sessions"]);
        for (id, session) in &role.sessions {
            access_key(&at, id, &session.access_key_secret, true)?;
            let at = [&at[..], &[id]].concat();
            check_name(&session.role_session_name, &[&at[..], &["RoleSessionName"]].concat())?;
            let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
            if session.security_token.is_empty() || !session.security_token.bytes().all(is_base64) {
                // The message must not quote the token: it is a secret.
                return Err(finding(&[&at[..], &["SecurityToken"]].concat(), "expected base64"));
            }
        }
    }
    let users = account.ram_users.iter();
    let users =
        users.map(|(name, user)| ("RamUsers", name, "UserId", &user.user_id, &user.policies));
    let roles = account.ram_roles.iter();
    let roles =
        roles.map(|(name, role)| ("RamRoles", name, "RoleId", &role.role_id, &role.policies));
    for (member, name, field, id, policies) in users.chain(roles) {
        let at = below(&[member, name]);
        check_name(name, &at)?;
        check_policies(policies, &at)?;
        let at = [&at[..], &[field]].concat();
        if id.is_empty() || !is_digits(id) {
            return Err(finding(&at, format!("invalid id `{id}`, expected digits")));
        }
        seen.once(field, id, &at)?;
    }
    Ok(())
}

/// The prefix of the ids of temporary access keys. No other ids have it.
const TEMPORARY: &str = "STS.";

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn check_name(name: &str, at: &[&str]) -> Result<(), Finding> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".@-_".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_plain) {
        let message = format!(
            "invalid name `{name}`, expected letters, digits, dots, @, hyphens and underscores"
        );
        return Err(finding(at, message));
    }
    Ok(())
}

fn check_policies(policies: &BTreeMap<String, Policy>, at: &[&str]) -> Result<(), Finding> {
    if policies.contains_key("") {
        return Err(finding(&[at, &["Policies"]].concat(), "a policy's name is empty"));
    }
    Ok(())
}

/// The unique values so far: the kind among which they are unique, the field, and the value.
#[derive(Default)]
struct Seen<'a>(HashSet<(&'a str, &'a str, String)>);

impl<'a> Seen<'a> {
    fn insert(&mut self, text: (&'a str, &'a str, String)) -> bool {
        self.0.insert(text)
    }

    fn once(&mut self, field: &'a str, id: &str, at: &[&str]) -> Result<(), Finding> {
        if self.insert(("", field, id.to_owned())) {
            return Ok(());
        }
        Err(finding(at, not_unique(id)))
    }
}

fn not_unique(id: &str) -> String {
    format!("not unique: {id}")
}
