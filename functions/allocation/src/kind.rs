//! Kinds of documents: what a store and a world document need to know of each.

use std::borrow::Cow;
use std::fmt;

use crate::document::Resource;
use crate::key::{Key, Parts};

/// What the documents of every kind have. The fields of a kind are the members of its JSON, in rows
/// and in worlds alike, except for the account and the id, which its key says.
pub trait Kind: fmt::Debug + Send + Sync {
    /// The parts of the key.
    fn parts(&self) -> Parts<'_>;

    /// The key.
    fn key(&self) -> Key {
        self.parts().key()
    }

    /// The id of the document within its account, as a world document gives it.
    fn id(&self) -> String;

    /// The account.
    fn account_id(&self) -> &str;

    /// [`Kind::id`] of the document that has this key: what follows kind, account and region in
    /// the key's text.
    #[must_use]
    fn id_in_key(key: &str) -> Cow<'_, str>
    where
        Self: Sized,
    {
        key.splitn(4, '#').nth(3).unwrap_or_default().into()
    }

    /// Takes account and id from the place where the document was found.
    ///
    /// # Errors
    ///
    /// What is wrong with the id.
    fn identify(&mut self, account_id: &str, id: &str) -> Result<(), String>;

    /// When the document counts as gone, in seconds since 1970 UTC; `None`: never.
    fn expires_at_secs(&self) -> Option<u64> {
        None
    }

    /// The document that exists because this one does.
    fn implied(&self) -> Option<Resource> {
        None
    }

    /// Checks what the types of the fields do not.
    ///
    /// # Errors
    ///
    /// The member that is wrong, as `Ipv6InternetBandwidth.Bandwidth`, and what is wrong with it.
    fn check(&self) -> Result<(), Flaw> {
        Ok(())
    }

    /// What no two documents of a world share: the member that says it, empty for the id, and a text.
    fn unique(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Where a document of a kind is that its account, its region and one id identify; `listed` or
/// `unlisted` says whether the kind is.
macro_rules! found_in_region {
    ($kind:ident, $form:ident) => {
        impl $kind {
            /// Where the document of this id is.
            #[must_use]
            pub fn at<'a>(scope: crate::key::Scope<'a>, id: &'a str) -> crate::key::Parts<'a> {
                crate::key::Parts::$form(Self::NAME, scope, id)
            }

            /// The key of the document of this id.
            #[must_use]
            pub fn key(scope: crate::key::Scope<'_>, id: &str) -> crate::key::Key {
                Self::at(scope, id).key()
            }
        }
    };
}

/// The methods of [`Kind`] for such a document.
macro_rules! in_region {
    ($id:ident) => {
        fn parts(&self) -> crate::key::Parts<'_> {
            let scope =
                crate::key::Scope { account_id: &self.account_id, region_id: self.region_id.id() };
            Self::at(scope, &self.$id)
        }

        fn id(&self) -> String {
            self.$id.as_ref().to_owned()
        }

        fn account_id(&self) -> &str {
            &self.account_id
        }

        fn identify(&mut self, account_id: &str, id: &str) -> Result<(), String> {
            (self.account_id, self.$id) = (account_id.into(), id.into());
            Ok(())
        }
    };
}

/// Who writes the documents of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The function, when it commits a call.
    Function,
    /// The operator alone. The function's role may not write them.
    Operator,
}

/// A member of a document that is wrong, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The member, as a path below the document; empty for the id.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
}

/// What a store and a world document need to know of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindRow {
    /// The name that begins its keys.
    pub name: &'static str,
    /// The number of the form that its rows have. A reader takes rows of this form and of every
    /// older one.
    pub schema: u16,
    /// The member of an account, in a world document, that maps ids to documents of this kind;
    /// empty: its members are those of the account. `None`: a world does not say them, as other
    /// documents imply them ([`Kind::implied`]).
    pub world: Option<&'static str>,
    /// Who writes documents of this kind.
    pub writer: Writer,
}

/// Makes the table of kinds: each a type and its row.
macro_rules! kinds {
    ($($kind:ident: $row:expr,)+) => {
        /// A document of any kind; shared, so that reading one copies nothing.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Resource {
            $(#[doc = concat!("Of the kind [`", stringify!($kind), "`].")] $kind(Arc<$kind>),)+
        }

        /// Every kind.
        pub const KINDS: &[KindRow] = &[$($kind::KIND),+];

        impl Deref for Resource {
            type Target = dyn Kind;

            fn deref(&self) -> &Self::Target {
                match self { $(Self::$kind(document) => &**document,)+ }
            }
        }

        impl Resource {
            /// The row of its kind.
            #[must_use]
            pub fn kind(&self) -> KindRow {
                match self { $(Self::$kind(_) => $kind::KIND,)+ }
            }

            /// Reads the members of a document of the kind `name`, found as `id` in an account.
            /// Members that the kind does not have are passed over: it is the deserializer that
            /// may refuse them.
            ///
            /// # Errors
            ///
            /// There is no such kind, a member is not as it should be, or the id is not.
            pub fn read<'de, D: serde::Deserializer<'de>>(
                name: &str,
                account_id: &str,
                id: &str,
                members: D,
            ) -> Result<Self, D::Error> {
                use serde::de::Error as _;
                match name {
                    $($kind::NAME => {
                        let mut document = $kind::deserialize(members)?;
                        document.identify(account_id, id).map_err(D::Error::custom)?;
                        Ok(Self::$kind(Arc::new(document)))
                    })+
                    _ => Err(D::Error::custom(format!("no such kind: {name}"))),
                }
            }

            /// Reads the members of a row. Kind, account and id are in the text of its key.
            ///
            /// # Errors
            ///
            /// Those of [`Resource::read`].
            pub fn read_row<'de, D: serde::Deserializer<'de>>(
                key: &str,
                members: D,
            ) -> Result<Self, D::Error> {
                let mut parts = key.splitn(3, '#');
                let name = parts.next().unwrap_or_default();
                let account_id = parts.next().unwrap_or_default();
                let id = match name {
                    $($kind::NAME => <$kind as Kind>::id_in_key(key),)+
                    _ => Cow::default(),
                };
                Self::read(name, account_id, &id, members)
            }
        }

        /// Writes the members, without account and id.
        impl serde::Serialize for Resource {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$kind(document) => document.serialize(serializer),)+ }
            }
        }

        $(
            impl $kind {
                const KIND: KindRow = $row;
                /// The name that begins its keys.
                pub const NAME: &'static str = Self::KIND.name;
            }

            impl From<$kind> for Resource {
                fn from(document: $kind) -> Self {
                    Self::$kind(Arc::new(document))
                }
            }

            impl AsKind<$kind> for Resource {
                fn as_kind(&self) -> Option<&$kind> {
                    if let Self::$kind(document) = self { Some(document) } else { None }
                }
            }
        )+
    };
}

/// A look at a document as one of a certain kind.
pub trait AsKind<K> {
    /// The document, if it is of that kind.
    fn as_kind(&self) -> Option<&K>;
}

pub(crate) use {found_in_region, in_region, kinds};
