//! The documents of one account, and an account of documents.

use allocation::{
    Account, AssociatedInstance, ClientToken, InternetBandwidthOwner, Ipv6Address, Ipv6Gateway,
    NetworkType, Resource,
};

use super::identities::{WorldAccessKey, WorldRamRole, WorldRamUser, WorldSession};
use super::timestamp::Timestamp;
use super::{WorldAccount, WorldAddress, WorldToken};
use crate::{AccessKey, Document, Holder, Identity, IdentityName};

impl WorldAccount {
    pub(super) fn into_documents(self) -> Vec<Document> {
        let Self {
            account_id,
            access_keys,
            ram_users,
            ram_roles,
            billing,
            ipv6_gateways,
            ipv6_addresses,
            client_tokens,
        } = self;
        let mut resources =
            vec![Resource::Account(Account { account_id: account_id.clone(), billing })];
        for address in ipv6_addresses {
            let gateway = ipv6_gateways
                .iter()
                .find(|g| g.vpc_id == address.vpc_id && g.region_id == address.region_id);
            resources.extend(address.ipv6_internet_bandwidth.as_ref().map(|bandwidth| {
                Resource::InternetBandwidth(InternetBandwidthOwner {
                    internet_bandwidth_id: bandwidth.internet_bandwidth_id.clone(),
                    ipv6_address_id: address.ipv6_address_id.clone(),
                })
            }));
            let gateway_id = gateway.map(|gateway| gateway.ipv6_gateway_id.clone());
            resources.push(Resource::Ipv6Address(Box::new(
                address.into_address(&account_id, gateway_id),
            )));
        }
        resources.extend(ipv6_gateways.into_iter().map(|gateway| {
            Resource::Ipv6Gateway(Ipv6Gateway {
                ipv6_gateway_id: gateway.ipv6_gateway_id,
                account_id: account_id.clone(),
                region_id: gateway.region_id,
                vpc_id: gateway.vpc_id,
            })
        }));
        resources.extend(client_tokens.into_iter().map(|token| {
            Resource::ClientToken(Box::new(ClientToken {
                account_id: account_id.clone(),
                region_id: token.region_id,
                action: token.action,
                client_token: token.client_token,
                expires_at_secs: token.expires_at.0,
                parameters: token.parameters,
                answer: token.answer,
            }))
        }));
        let keys = access_keys.into_iter();
        let keys = keys.map(|key| key.into_document(&account_id, Holder::Account));
        keys.chain(ram_users.into_iter().flat_map(|user| user.into_documents(&account_id)))
            .chain(ram_roles.into_iter().flat_map(|role| role.into_documents(&account_id)))
            .chain(resources.into_iter().map(Document::from))
            .collect()
    }

    pub(super) fn add_access_key(&mut self, key: &AccessKey) {
        match &key.holder {
            Holder::Account => self.access_keys.push(WorldAccessKey::of(key)),
            Holder::RamUser(name) => self.ram_user(name).access_keys.push(WorldAccessKey::of(key)),
            Holder::Session(session) => {
                let role = self.ram_role(&session.role_name);
                role.sessions.push(WorldSession::of(key, session));
            }
        }
    }

    pub(super) fn add_identity(&mut self, identity: &Identity) {
        match &identity.name {
            IdentityName::RamUser(name) => {
                let user = self.ram_user(name);
                user.user_id.clone_from(&identity.id);
                user.policies.clone_from(&identity.policies);
            }
            IdentityName::RamRole(name) => {
                let role = self.ram_role(name);
                role.role_id.clone_from(&identity.id);
                role.policies.clone_from(&identity.policies);
            }
        }
    }

    /// The user of this name; documents come in no order, so what is known of it may come later.
    fn ram_user(&mut self, name: &str) -> &mut WorldRamUser {
        let known = self.ram_users.iter().position(|user| user.user_name == name);
        let position = known.unwrap_or_else(|| {
            self.ram_users.push(WorldRamUser { user_name: name.to_owned(), ..Default::default() });
            self.ram_users.len() - 1
        });
        &mut self.ram_users[position]
    }

    /// The role of this name, as [`Self::ram_user`].
    fn ram_role(&mut self, name: &str) -> &mut WorldRamRole {
        let known = self.ram_roles.iter().position(|role| role.role_name == name);
        let position = known.unwrap_or_else(|| {
            self.ram_roles.push(WorldRamRole { role_name: name.to_owned(), ..Default::default() });
            self.ram_roles.len() - 1
        });
        &mut self.ram_roles[position]
    }

    pub(super) fn add_address(&mut self, address: &Ipv6Address) {
        let instance = address.associated_instance.as_ref();
        self.ipv6_addresses.push(WorldAddress {
            ipv6_address_id: address.ipv6_address_id.clone(),
            region_id: address.region_id.clone(),
            ipv6_address: address.ipv6_address,
            vpc_id: address.vpc_id.clone(),
            status: address.status,
            ipv6_isp: address.ipv6_isp,
            private_gua: address.private_gua,
            associated_instance_type: instance.map(|instance| instance.instance_type.clone()),
            associated_instance_id: instance.map(|instance| instance.instance_id.clone()),
            network_type: Some(address.network_type),
            ipv6_internet_bandwidth: address.ipv6_internet_bandwidth.clone(),
        });
    }
}

impl WorldAddress {
    fn into_address(self, account_id: &str, ipv6_gateway_id: Option<String>) -> Ipv6Address {
        Ipv6Address {
            ipv6_address_id: self.ipv6_address_id,
            account_id: account_id.to_owned(),
            region_id: self.region_id,
            ipv6_address: self.ipv6_address,
            vpc_id: self.vpc_id,
            ipv6_gateway_id,
            status: self.status,
            ipv6_isp: self.ipv6_isp,
            private_gua: self.private_gua,
            associated_instance: self.associated_instance_type.map(|instance_type| {
                AssociatedInstance {
                    instance_type,
                    instance_id: self.associated_instance_id.unwrap_or_default(),
                }
            }),
            network_type: match &self.ipv6_internet_bandwidth {
                Some(_) => NetworkType::Public,
                None => NetworkType::Private,
            },
            ipv6_internet_bandwidth: self.ipv6_internet_bandwidth,
        }
    }
}

impl WorldToken {
    pub(super) fn of(token: &ClientToken) -> Self {
        Self {
            action: token.action.clone(),
            region_id: token.region_id.clone(),
            client_token: token.client_token.clone(),
            expires_at: Timestamp(token.expires_at_secs),
            parameters: token.parameters.clone(),
            answer: token.answer.clone(),
        }
    }
}
