//! What must hold of a world beyond the form of each field.

use std::collections::HashSet;

use allocation::{NetworkType, is_ipv6_address_id, is_known_region};

use super::locate::Step::{Element, Member};
use super::{World, WorldAccount, WorldAddress, locate::Step};

type Finding = (Vec<Step>, String);

/// Finds the first field that is at odds with another, or not in the form of what it names.
pub(super) fn check(world: &World) -> Result<(), Finding> {
    let mut seen = Seen::default();
    for (position, account) in world.accounts.iter().enumerate() {
        let at = [Member("Accounts"), Element(position)];
        let is_account_id = account.account_id.len() == 16
            && account.account_id.bytes().all(|b| b.is_ascii_digit());
        if !is_account_id {
            return Err(finding(
                &at,
                "AccountId",
                format!("not 16 digits: {}", account.account_id),
            ));
        }
        seen.once("AccountId", &account.account_id, &at)?;
        check_account(account, &at, &mut seen)?;
    }
    Ok(())
}

fn check_account(account: &WorldAccount, at: &[Step], seen: &mut Seen) -> Result<(), Finding> {
    check_identities(account, at, seen)?;
    let mut vpcs = HashSet::new();
    for (position, gateway) in account.ipv6_gateways.iter().enumerate() {
        let at = inside(at, "Ipv6Gateways", position);
        check_region(&gateway.region_id, &at)?;
        seen.once("Ipv6GatewayId", &gateway.ipv6_gateway_id, &at)?;
        if !vpcs.insert((&gateway.region_id, &gateway.vpc_id)) {
            let message =
                format!("a VPC has one gateway, this one has another: {}", gateway.vpc_id);
            return Err(finding(&at, "VpcId", message));
        }
    }
    for (position, address) in account.ipv6_addresses.iter().enumerate() {
        check_address(address, &inside(at, "Ipv6Addresses", position), seen)?;
    }
    for (position, token) in account.client_tokens.iter().enumerate() {
        let at = inside(at, "ClientTokens", position);
        check_region(&token.region_id, &at)?;
        let scope = format!(
            "{}/{}/{}/{}",
            account.account_id, token.region_id, token.action, token.client_token
        );
        seen.once("ClientToken", &scope, &at)?;
    }
    Ok(())
}

fn check_identities(account: &WorldAccount, at: &[Step], seen: &mut Seen) -> Result<(), Finding> {
    for (position, key) in account.access_keys.iter().enumerate() {
        check_access_key_id(&key.access_key_id, &inside(at, "AccessKeys", position), seen)?;
    }
    for (position, user) in account.ram_users.iter().enumerate() {
        let at = inside(at, "RamUsers", position);
        check_number(&user.user_id, &at, "UserId", seen)?;
        check_name(&user.user_name, &at, "UserName")?;
        seen.once_in(&account.account_id, "UserName", &user.user_name, &at)?;
        for (position, key) in user.access_keys.iter().enumerate() {
            check_access_key_id(&key.access_key_id, &inside(&at, "AccessKeys", position), seen)?;
        }
    }
    for (position, role) in account.ram_roles.iter().enumerate() {
        let at = inside(at, "RamRoles", position);
        check_number(&role.role_id, &at, "RoleId", seen)?;
        check_name(&role.role_name, &at, "RoleName")?;
        seen.once_in(&account.account_id, "RoleName", &role.role_name, &at)?;
        for (position, session) in role.sessions.iter().enumerate() {
            let at = inside(&at, "Sessions", position);
            check_name(&session.role_session_name, &at, "RoleSessionName")?;
            if !session.access_key_id.starts_with(TEMPORARY) {
                let message = format!("not {TEMPORARY} and more: {}", session.access_key_id);
                return Err(finding(&at, "AccessKeyId", message));
            }
            seen.once("AccessKeyId", &session.access_key_id, &at)?;
            let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
            if session.security_token.is_empty() || !session.security_token.bytes().all(is_base64) {
                // It is a secret, so it is not shown.
                return Err(finding(&at, "SecurityToken", "not base64".to_owned()));
            }
        }
    }
    Ok(())
}

/// How the ids of temporary access keys begin, and no others.
const TEMPORARY: &str = "STS.";

fn check_access_key_id(id: &str, at: &[Step], seen: &mut Seen) -> Result<(), Finding> {
    if id.starts_with(TEMPORARY) {
        let message = format!("only a role's session has a key that begins with {TEMPORARY}: {id}");
        return Err(finding(at, "AccessKeyId", message));
    }
    seen.once("AccessKeyId", id, at)
}

fn check_number(
    id: &str,
    at: &[Step],
    field: &'static str,
    seen: &mut Seen,
) -> Result<(), Finding> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(finding(at, field, format!("not digits: {id}")));
    }
    seen.once(field, id, at)
}

fn check_name(name: &str, at: &[Step], field: &'static str) -> Result<(), Finding> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".@-_".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_plain) {
        let message = format!("not letters, digits, dots, @, hyphens and underscores: {name}");
        return Err(finding(at, field, message));
    }
    Ok(())
}

fn check_address(address: &WorldAddress, at: &[Step], seen: &mut Seen) -> Result<(), Finding> {
    let id = &address.ipv6_address_id;
    if !is_ipv6_address_id(id) {
        let message = format!("not ipv6- and lower-case letters, digits and hyphens: {id}");
        return Err(finding(at, "Ipv6AddressId", message));
    }
    seen.once("Ipv6AddressId", id, at)?;
    check_region(&address.region_id, at)?;
    match (&address.associated_instance_type, &address.associated_instance_id) {
        (Some(_), Some(_)) | (None, None) => {}
        (None, Some(_)) => {
            let message = "stands without AssociatedInstanceType".to_owned();
            return Err(finding(at, "AssociatedInstanceId", message));
        }
        (Some(_), None) => {
            let message = "stands without AssociatedInstanceId".to_owned();
            return Err(finding(at, "AssociatedInstanceType", message));
        }
    }
    if let Some(network_type) = address.network_type {
        let is_public = match network_type {
            NetworkType::Public => true,
            NetworkType::Private => false,
        };
        if is_public != address.ipv6_internet_bandwidth.is_some() {
            let message = "Public goes with an Ipv6InternetBandwidth, Private without".to_owned();
            return Err(finding(at, "NetworkType", message));
        }
    }
    if let Some(bandwidth) = &address.ipv6_internet_bandwidth {
        let at = [at, &[Member("Ipv6InternetBandwidth")]].concat();
        seen.once("Ipv6InternetBandwidthId", &bandwidth.internet_bandwidth_id, &at)?;
        let mbps_max = bandwidth.internet_charge_type.bandwidth_mbps_max();
        if !(1..=mbps_max).contains(&bandwidth.bandwidth_mbps) {
            let message = format!("not from 1 to {mbps_max}: {}", bandwidth.bandwidth_mbps);
            return Err(finding(&at, "Bandwidth", message));
        }
    }
    Ok(())
}

fn check_region(region_id: &str, at: &[Step]) -> Result<(), Finding> {
    if is_known_region(region_id) {
        return Ok(());
    }
    Err(finding(at, "RegionId", format!("no such region: {region_id}")))
}

fn inside(at: &[Step], list: &'static str, position: usize) -> Vec<Step> {
    [at, &[Member(list), Element(position)]].concat()
}

fn finding(at: &[Step], field: &'static str, message: String) -> Finding {
    ([at, &[Member(field)]].concat(), message)
}

/// The ids met so far, each by what it is unique in, if not the world, and the field that holds it.
#[derive(Default)]
struct Seen(HashSet<(String, &'static str, String)>);

impl Seen {
    fn once(&mut self, field: &'static str, id: &str, at: &[Step]) -> Result<(), Finding> {
        self.once_in("", field, id, at)
    }

    fn once_in(
        &mut self,
        scope: &str,
        field: &'static str,
        id: &str,
        at: &[Step],
    ) -> Result<(), Finding> {
        if self.0.insert((scope.to_owned(), field, id.to_owned())) {
            return Ok(());
        }
        Err(finding(at, field, format!("stands twice: {id}")))
    }
}
