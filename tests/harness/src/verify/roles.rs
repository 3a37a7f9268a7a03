//! Binds cases to real ids, for endpoints whose world cannot be set.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

use crate::case::{Case, Pairs, Request};
use crate::client::{HOST, without_port};
use crate::contract::Contract;
use crate::error::{Result, bail};
use crate::world::{self, members};

/// The region in cases.
const REGION: &str = "cn-huhehaote";
/// The default access key of cases.
const KEY_ID: &str = "testid";

/// The access key, region and host of real calls.
#[derive(Clone)]
pub struct Caller {
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub access_key_secret: String,
    /// The token of a temporary key.
    pub security_token: Option<String>,
    /// The region of the calls.
    pub region: String,
    /// The host in the requests, with a port if the URL has one.
    pub host: String,
}

/// The roles of addresses, from the `roles.json` of the operations.
#[derive(Debug, Default)]
pub struct Roles {
    need_nothing: BTreeSet<String>,
    roles: Vec<(String, Validator)>,
}

impl Roles {
    /// Reads the roles of the contract.
    pub fn read(contract: &Contract) -> Result<Self> {
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

    /// The roles of an address; at most one, if the file is right.
    #[must_use]
    pub fn of(&self, address: &Value) -> Vec<&str> {
        let fitting = self.roles.iter().filter(|(_, schema)| schema.is_valid(address));
        fitting.map(|(name, _)| name.as_str()).collect()
    }

    /// Reads `--bind ROLE=ID` options.
    ///
    /// # Errors
    ///
    /// An option is malformed, or names an unknown role.
    pub fn bindings(&self, options: &[String]) -> Result<BTreeMap<String, String>> {
        let mut bindings = BTreeMap::new();
        for option in options {
            let (role, id) =
                option.split_once('=').filter(|(_, id)| !id.is_empty()).ok_or_else(|| {
                    format!("--bind {option}: it must be like ipv6-free=ipv6-2zexxxx")
                })?;
            let is_known = self.names().any(|known| known == role || gateway(known) == role);
            if !is_known {
                let known: Vec<&str> = self.names().collect();
                bail!(
                    "--bind {option}: unknown role {role}; the roles are {}, and with ipv6gw in place of ipv6 \
                     the gateway of the address's VPC",
                    known.join(", ")
                );
            }
            if bindings.insert(role.to_owned(), id.to_owned()).is_some() {
                bail!("--bind {option}: {role} is bound twice");
            }
        }
        Ok(bindings)
    }

    /// The case for `caller` on a world that cannot be set.
    ///
    /// # Errors
    ///
    /// The reason why the case cannot be tried.
    pub fn bind(
        &self,
        case: &Case,
        caller: &Caller,
        bindings: &BTreeMap<String, String>,
    ) -> Result<Bound> {
        let mut bound = case.clone();
        // A case that writes the header of a signature also writes the key's id in it.
        let credential = |key: &str| format!("Credential={key}");
        let mut real = vec![
            (REGION.to_owned(), caller.region.clone()),
            (credential(KEY_ID), credential(&caller.access_key_id)),
        ];
        if case.fault.is_some() {
            bail!("its store must fail, which needs control paths");
        }
        if case.throttling.is_some() {
            bail!("it needs a rate limit, which needs control paths");
        }
        for request in case.before.iter().chain([&case.request]) {
            self.check_key(case, request)?;
        }
        if caller.region != REGION && named(case).any(|value| value == caller.region) {
            bail!("it names {} as another region", caller.region);
        }
        let code = case.demanded.code.as_deref().unwrap_or("a success");
        if !self.need_nothing.contains(code) {
            real.extend(self.ids(case, bindings)?);
        }
        // The longest first, so that no id is cut by another one inside it.
        real.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
        real.push((HOST.to_owned(), caller.host.clone()));
        let tail = crate::client::fresh_nonce();
        for request in bound.before.iter_mut().chain([&mut bound.request]) {
            request.replace(&real);
            // A token is remembered for a day, so each case and run needs its own.
            request.lengthen_token(&tail);
            request.host.clone_from(&caller.host);
            // A nonce is remembered for 15 minutes, so each run needs its own.
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
            *element = serde_json::from_str(&text)?;
        }
        // Answers name the host without its port.
        real.push((HOST.to_owned(), without_port(&caller.host).to_owned()));
        Ok(Bound { case: bound, real })
    }

    /// Checks that another key can sign the request.
    fn check_key(&self, case: &Case, request: &Request) -> Result<()> {
        let key = &request.access_key_id;
        if key != KEY_ID && world::key(&case.world, key).is_some() {
            bail!("it is called with the access key {key} of its world");
        }
        let code = case.demanded.code.as_deref().unwrap_or_default();
        if request.security_token.is_some() && !self.need_nothing.contains(code) {
            bail!("it is called with a security token of its world");
        }
        Ok(())
    }

    /// The ids of the case's world in its requests, each with the real one.
    fn ids(
        &self,
        case: &Case,
        bindings: &BTreeMap<String, String>,
    ) -> Result<Vec<(String, String)>> {
        let mut accounts = members(&case.world["Accounts"]);
        let (Some((_, account)), None) = (accounts.next(), accounts.next()) else {
            bail!("its world has more than one account");
        };
        if let Some(unusual) = unusual(account) {
            bail!("{unusual}");
        }
        let named: BTreeSet<String> = named(case).collect();
        let of = |kind: &str| members(&account[kind]);
        let bandwidth = |address: &Value| {
            let id = address.pointer("/Ipv6InternetBandwidth/Ipv6InternetBandwidthId");
            id.and_then(Value::as_str).map(str::to_owned)
        };
        let mut bandwidths = of("Ipv6Addresses").filter_map(|(_, address)| bandwidth(address));
        if let Some(id) = bandwidths.find(|id| named.contains(id)) {
            bail!("it names {id}, a bandwidth of its world");
        }
        let (mut real, mut gateways) = (Vec::new(), Vec::new());
        for (id, address) in of("Ipv6Addresses").filter(|(id, _)| named.contains(*id)) {
            if address["RegionId"] != REGION {
                bail!("{id} is in another region in its world");
            }
            let roles = self.of(address);
            let [role] = roles[..] else {
                bail!("no role describes {id} of its world");
            };
            let mut serving = of("Ipv6Gateways").filter(|(_, it)| it["VpcId"] == address["VpcId"]);
            let (gateway_id, _) = serving
                .next()
                .ok_or_else(|| format!("the VPC of {id} has no gateway in its world"))?;
            if gateways.iter().any(|(_, known)| *known == gateway(role)) {
                bail!("it needs two addresses with the role {role}");
            }
            gateways.push((gateway_id, gateway(role)));
            real.push((id.clone(), bound(role, bindings)?));
        }
        for (id, _) in of("Ipv6Gateways").filter(|(id, _)| named.contains(*id)) {
            let role = gateways.iter().find(|(of_address, _)| *of_address == id);
            let (_, role) =
                role.ok_or_else(|| format!("the gateway {id} serves no address that it names"))?;
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
    /// The texts in cases, and their real values.
    pub real: Vec<(String, String)>,
}

impl Bound {
    /// A text with the case's names in place of the real ones.
    #[must_use]
    pub fn case_names(&self, text: &str) -> String {
        self.real.iter().fold(text.to_owned(), |text, (known, real)| text.replace(real, known))
    }
}

/// A text with the real names in place of the case's.
pub(super) fn replaced(text: &str, real: &[(String, String)]) -> String {
    real.iter().fold(text.to_owned(), |text, (known, real)| text.replace(known, real))
}

/// The role of the gateway that serves an address of a role.
fn gateway(role: &str) -> String {
    role.replacen("ipv6", "ipv6gw", 1)
}

fn bound(role: &str, bindings: &BTreeMap<String, String>) -> Result<String> {
    let id = bindings.get(role).cloned();
    Ok(id.ok_or_else(|| format!("it needs --bind {role}=ID"))?)
}

/// A property of an account that real accounts rarely have.
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
