//! What a call may change: a purchase one address and one token, anything else nothing.

use serde_json::Value;

/// Undoes in `after` what the purchase of a bandwidth for an address does, as far as it was done. What
/// is left is `before`, if nothing else was done; documents that a purchase replaces are dropped
/// from both.
///
/// # Errors
///
/// What the purchase should have done and did not.
pub(super) fn undo_purchase(
    before: &mut Value,
    after: &mut Value,
    address_id: &str,
    bandwidth_id: &str,
) -> Result<(), String> {
    let accounts = after["Accounts"].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
    let before_accounts =
        before["Accounts"].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
    let owns = |account: &Value| address_in(account, address_id).is_some();
    let account = accounts.iter_mut().find(|account| owns(account));
    let account = account.ok_or_else(|| format!("the address {address_id}"))?;
    let id = account["AccountId"].clone();
    let before_account = before_accounts.iter_mut().find(|known| known["AccountId"] == id);
    let before_account = before_account.ok_or_else(|| format!("no new account {id}"))?;

    // The token, which replaces one of the same name that has expired.
    let answer = serde_json::json!({
        "InternetBandwidthId": bandwidth_id, "Ipv6AddressId": address_id
    });
    let known = tokens(before_account);
    let new: Vec<Value> =
        tokens(account).into_iter().filter(|token| !known.contains(token)).collect();
    if let [token] = &new[..]
        && token["Answer"] == answer
    {
        let name = |token: &Value| [token["ClientToken"].clone(), token["RegionId"].clone()];
        for account in [&mut *account, before_account] {
            let kept: Vec<Value> =
                tokens(account).into_iter().filter(|known| name(known) != name(token)).collect();
            set_tokens(account, kept);
        }
    } else {
        let actual = Value::Array(new);
        return Err(format!("one token that remembers {answer}, and not {actual}"));
    }

    let before_address = address_in(before_account, address_id).cloned().unwrap_or_default();
    let addresses = account["Ipv6Addresses"].as_array_mut().into_iter().flatten();
    let mut addresses = addresses.filter(|address| address["Ipv6AddressId"] == address_id);
    let Some(address) = addresses.next().and_then(Value::as_object_mut) else { return Ok(()) };
    let bandwidth = address.remove("Ipv6InternetBandwidth").unwrap_or_default();
    if bandwidth["Ipv6InternetBandwidthId"] != bandwidth_id {
        return Err(format!("{address_id} with {bandwidth_id}, and not {bandwidth}"));
    }
    let network_type =
        address.insert("NetworkType".to_owned(), before_address["NetworkType"].clone());
    if network_type != Some("Public".into()) {
        return Err(format!("{address_id} Public, and not {network_type:?}"));
    }
    Ok(())
}

fn address_in<'a>(account: &'a Value, id: &str) -> Option<&'a Value> {
    let mut addresses = account["Ipv6Addresses"].as_array()?.iter();
    addresses.find(|address| address["Ipv6AddressId"] == id)
}

fn tokens(account: &Value) -> Vec<Value> {
    account["ClientTokens"].as_array().cloned().unwrap_or_default()
}

fn set_tokens(account: &mut Value, tokens: Vec<Value>) {
    if let Some(account) = account.as_object_mut() {
        if tokens.is_empty() {
            account.remove("ClientTokens");
        } else {
            account.insert("ClientTokens".to_owned(), tokens.into());
        }
    }
}
