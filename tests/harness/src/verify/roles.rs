//! What a case needs where the world cannot be set, and real ids for it.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

use crate::case::{Case, Pairs, Request};
use crate::client::{HOST, without_port};
use crate::contract::Contract;
use crate::world::{self, members};

/// The region that cases name.
const REGION: &str = "cn-huhehaote";
/// The access key that cases sign with unless they say another.
const KEY_ID: &str = "testid";

/// Whose calls they are, and to whom.
#[derive(Clone)]
pub struct Caller {
    /// The access key.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
    /// The token that goes with a temporary key.
    pub security_token: Option<String>,
    /// The region that the calls are for.
    pub region: String,
    /// The host that the requests name, with a port if there is one.
    pub host: String,
}

/// What addresses can be, as the files `roles.json` of the operations say.
#[derive(Debug, Default)]
pub struct Roles {
    need_nothing: BTreeSet<String>,
    roles: Vec<(String, Validator)>,
}

impl Roles {
    /// Reads the roles of the contract.
    ///
    /// # Errors
    ///
    /// What is wrong with a file.
    pub fn read(contract: &Contract) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct File {
            need_nothing: BTreeSet<String>,
            roles: Vec<Role>,
        }
        #[derive(Deserialize)]
        struct Role {
            role: String,
            address: Value,
        }
        let mut all = Self::default();
        for path in contract.paths().filter(|path| is_roles(path)) {
            let File { need_nothing, roles } = contract.parse(path, contract.existing(path)?)?;
            all.need_nothing.extend(need_nothing);
            for Role { role, address } in roles {
                let schema = jsonschema::draft202012::new(&address);
                let schema =
                    schema.map_err(|e| format!("{}/{path}: {role}: {e}", contract.origin()))?;
                if !all.names().any(|known| known == role) {
                    all.roles.push((role, schema));
                }
            }
        }
        Ok(all)
    }

    /// The names of the roles.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(|(name, _)| name.as_str())
    }

    /// The roles that an address of a world has: one at most, if the file is right.
    #[must_use]
    pub fn of(&self, address: &Value) -> Vec<&str> {
        let fitting = self.roles.iter().filter(|(_, schema)| schema.is_valid(address));
        fitting.map(|(name, _)| name.as_str()).collect()
    }

    /// Reads `--bind ROLE=ID` options.
    ///
    /// # Errors
    ///
    /// Which is none, or names no role.
    pub fn bindings(&self, options: &[String]) -> Result<BTreeMap<String, String>, String> {
        let mut bindings = BTreeMap::new();
        for option in options {
            let (role, id) = option
                .split_once('=')
                .filter(|(_, id)| !id.is_empty())
                .ok_or_else(|| format!("--bind {option}: not like ipv6-free=ipv6-2zexxxx"))?;
            let is_known = self.names().any(|known| known == role || gateway(known) == role);
            if !is_known {
                let known: Vec<&str> = self.names().collect();
                return Err(format!(
                    "--bind {option}: there is no role {role}: there are {}, and for the gateway of \
                     an address's VPC the same with ipv6gw",
                    known.join(", ")
                ));
            }
            if bindings.insert(role.to_owned(), id.to_owned()).is_some() {
                return Err(format!("--bind {option}: {role} is bound twice"));
            }
        }
        Ok(bindings)
    }

    /// The case as it can be tried by `caller` on a world that cannot be set.
    ///
    /// # Errors
    ///
    /// Why it cannot be tried.
    pub fn bind(
        &self,
        case: &Case,
        caller: &Caller,
        bindings: &BTreeMap<String, String>,
    ) -> Result<Bound, String> {
        let mut bound = case.clone();
        // Where a case writes the header by which a call is signed, it writes whose key it is, too.
        let credential = |key: &str| format!("Credential={key}");
        let mut real = vec![
            (REGION.to_owned(), caller.region.clone()),
            (credential(KEY_ID), credential(&caller.access_key_id)),
        ];
        if case.fault.is_some() {
            return Err("its store must fail, which only control paths bring about".to_owned());
        }
        if case.throttling.is_some() {
            return Err("it needs a limit of calls that only control paths set".to_owned());
        }
        for request in case.before.iter().chain([&case.request]) {
            self.check_key(case, request)?;
        }
        if caller.region != REGION && named(case).any(|value| value == caller.region) {
            return Err(format!("it names {} as another region", caller.region));
        }
        let code = case.demanded.code.as_deref().unwrap_or("a success");
        if !self.need_nothing.contains(code) {
            real.extend(self.ids(case, bindings)?);
        }
        // The longest first, so that none is cut by another that it contains.
        real.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
        real.push((HOST.to_owned(), caller.host.clone()));
        let tail = crate::client::fresh_nonce();
        for request in bound.before.iter_mut().chain([&mut bound.request]) {
            request.replace(&real);
            // A token is remembered for a day, so it must not be that of another case or run.
            request.lengthen_token(&tail);
            request.host.clone_from(&caller.host);
            // Two runs within a quarter of an hour must not meet.
            if let Some(nonce) = &mut request.nonce {
                nonce.extend(["-", crate::client::fresh_run()]);
            }
            if request.access_key_id == KEY_ID {
                request.access_key_id.clone_from(&caller.access_key_id);
                if request.has_usual_secret() {
                    request.access_key_secret.clone_from(&caller.access_key_secret);
                    if request.security_token.is_none() {
                        request.security_token.clone_from(&caller.security_token);
                    }
                }
            }
        }
        let demanded = &mut bound.demanded;
        if let Some(message) = &mut demanded.message {
            *message = replaced(message, &real);
        }
        for element in demanded.elements.values_mut() {
            let text = replaced(&element.to_string(), &real);
            *element = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        }
        // What an answer names of it.
        real.push((HOST.to_owned(), without_port(&caller.host).to_owned()));
        Ok(Bound { case: bound, real })
    }

    /// Whether somebody else's key can sign the request.
    fn check_key(&self, case: &Case, request: &Request) -> Result<(), String> {
        let key = &request.access_key_id;
        if key != KEY_ID && world::key(&case.world, key).is_some() {
            return Err(format!("it is called with the access key {key}, which its world holds"));
        }
        let code = case.demanded.code.as_deref().unwrap_or_default();
        if request.security_token.is_some() && !self.need_nothing.contains(code) {
            return Err("it is called with a security token that its world holds".to_owned());
        }
        Ok(())
    }

    /// The ids of the case's world that its requests name, each with the real one.
    fn ids(
        &self,
        case: &Case,
        bindings: &BTreeMap<String, String>,
    ) -> Result<Vec<(String, String)>, String> {
        let mut accounts = members(&case.world["Accounts"]);
        let (Some((_, account)), None) = (accounts.next(), accounts.next()) else {
            return Err("its world has more than one account".to_owned());
        };
        if let Some(unusual) = unusual(account) {
            return Err(unusual);
        }
        let named: BTreeSet<String> = named(case).collect();
        let of = |kind: &str| members(&account[kind]);
        let bandwidth = |address: &Value| {
            let id = address.pointer("/Ipv6InternetBandwidth/Ipv6InternetBandwidthId");
            id.and_then(Value::as_str).map(str::to_owned)
        };
        let mut bandwidths = of("Ipv6Addresses").filter_map(|(_, address)| bandwidth(address));
        if let Some(id) = bandwidths.find(|id| named.contains(id)) {
            return Err(format!("it names {id}, a bandwidth of its world"));
        }
        let (mut real, mut gateways) = (Vec::new(), Vec::new());
        for (id, address) in of("Ipv6Addresses").filter(|(id, _)| named.contains(*id)) {
            if address["RegionId"] != REGION {
                return Err(format!("{id} is in another region in its world"));
            }
            let roles = self.of(address);
            let [role] = roles[..] else {
                return Err(format!("no role is what {id} is in its world"));
            };
            let mut serving = of("Ipv6Gateways").filter(|(_, it)| it["VpcId"] == address["VpcId"]);
            let (gateway_id, _) = serving
                .next()
                .ok_or_else(|| format!("the VPC of {id} has no gateway in its world"))?;
            if gateways.iter().any(|(_, known)| *known == gateway(role)) {
                return Err(format!("it needs two addresses that are {role}"));
            }
            gateways.push((gateway_id, gateway(role)));
            real.push((id.clone(), bound(role, bindings)?));
        }
        for (id, _) in of("Ipv6Gateways").filter(|(id, _)| named.contains(*id)) {
            let role = gateways.iter().find(|(of_address, _)| *of_address == id);
            let (_, role) =
                role.ok_or_else(|| format!("the gateway {id} is that of no address it names"))?;
            real.push((id.clone(), bound(role, bindings)?));
        }
        Ok(real)
    }
}

/// Whether a file holds the roles of an operation.
fn is_roles(path: &str) -> bool {
    path.strip_suffix("/roles.json").is_some_and(|folder| !folder.contains('/'))
}

/// The values of all parameters of a case's calls.
fn named(case: &Case) -> impl Iterator<Item = String> {
    let requests = case.before.iter().chain([&case.request]);
    let pairs = requests.flat_map(|request| [&request.query, &request.body]);
    pairs.flat_map(Pairs::list).map(|(_, value)| value)
}

/// A case with real ids.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The case.
    pub case: Case,
    /// What cases name, and what was put for it.
    pub real: Vec<(String, String)>,
}

impl Bound {
    /// A text in which what the case names stands again for what was put for it.
    #[must_use]
    pub fn case_names(&self, text: &str) -> String {
        self.real.iter().fold(text.to_owned(), |text, (known, real)| text.replace(real, known))
    }
}

/// A text with what cases name replaced by what is real.
pub(super) fn replaced(text: &str, real: &[(String, String)]) -> String {
    real.iter().fold(text.to_owned(), |text, (known, real)| text.replace(known, real))
}

/// What the gateway of the VPC of an address of a role is called.
fn gateway(role: &str) -> String {
    role.replacen("ipv6", "ipv6gw", 1)
}

fn bound(role: &str, bindings: &BTreeMap<String, String>) -> Result<String, String> {
    let id = bindings.get(role).cloned();
    id.ok_or_else(|| format!("it needs --bind {role}=ID"))
}

/// What an account of a world has that no account can be expected to have.
fn unusual(account: &Value) -> Option<String> {
    let billing = &account["Billing"];
    if billing["CdtStatus"] != "Upgraded" || billing["SaleStatus"] != "Allowed" {
        return Some("its account's billing is not as usual".to_owned());
    }
    if members(&account["AccessKeys"]).any(|(_, key)| key.get("Status").is_some()) {
        return Some("its access key is disabled".to_owned());
    }
    let usual = ["AccessKeys", "Billing", "Ipv6Gateways", "Ipv6Addresses"];
    let mut names = members(account).map(|(name, _)| name.as_str());
    let other = names.find(|name| !usual.contains(name))?;
    Some(format!("its account has {other}"))
}
