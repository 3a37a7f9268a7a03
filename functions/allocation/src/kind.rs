//! Kinds of documents: the properties that stores and world documents use.

use std::borrow::Cow;
use std::fmt;

use crate::document::Resource;
use crate::key::{Key, Parts};

/// The interface of all documents. The fields of a kind are the members of its JSON, in rows and in
/// worlds, except the account and the id, which are in the key.
pub trait Kind: fmt::Debug + Send + Sync {
    /// The parts of the key.
    fn parts(&self) -> Parts<'_>;

    /// The key.
    fn key(&self) -> Key {
        self.parts().key()
    }

    /// The id of the document within its account, as in a world document.
    fn id(&self) -> String;

    /// The account.
    fn account_id(&self) -> &str;

    /// [`Kind::id`] of the document with this key: the part after kind, account and region.
    #[must_use]
    fn id_in_key(key: &str) -> Cow<'_, str>
    where
        Self: Sized,
    {
        key.splitn(4, '#').nth(3).unwrap_or_default().into()
    }

    /// Sets account and id, which the members do not have.
    ///
    /// # Errors
    ///
    /// The id is malformed.
    fn identify(&mut self, account_id: &str, id: &str) -> Result<(), Flaw>;

    /// The time at which the document expires, in seconds since 1970 UTC; `None`: never.
    fn expires_at_secs(&self) -> Option<u64> {
        None
    }

    /// The document that this one implies: it exists as long as this one.
    fn implied(&self) -> Option<Resource> {
        None
    }

    /// Checks the members beyond their types.
    ///
    /// # Errors
    ///
    /// The first invalid member.
    fn check(&self) -> Result<(), Flaw> {
        Ok(())
    }

    /// The values that must be unique in a world, each with its member; the member is empty for the
    /// id.
    fn unique(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Declares `at` and `key` for a kind whose documents are identified by account, region and one id.
/// The second argument says whether the kind is `listed` or `unlisted`.
macro_rules! found_in_region {
    ($kind:ident, $form:ident) => {
        impl $kind {
            /// The parts of the key of the document with this id.
            #[must_use]
            pub fn at<'a>(scope: crate::key::Scope<'a>, id: &'a str) -> crate::key::Parts<'a> {
                crate::key::Parts::$form(Self::NAME, scope, id)
            }

            /// The key of the document with this id.
            #[must_use]
            pub fn key(scope: crate::key::Scope<'_>, id: &str) -> crate::key::Key {
                Self::at(scope, id).key()
            }
        }
    };
}

/// Declares the methods of [`Kind`] for such a kind.
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

        fn identify(&mut self, account_id: &str, id: &str) -> Result<(), crate::kind::Flaw> {
            (self.account_id, self.$id) = (account_id.into(), id.into());
            Ok(())
        }
    };
}

/// The writer of a kind's documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The function, when it commits a call.
    Function,
    /// Only the operator. The function's role must not have permission to write them.
    Operator,
}

/// An invalid member of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The member's path in the document, as in `Ipv6InternetBandwidth.Bandwidth`; empty for the
    /// id.
    pub field: &'static str,
    /// The reason.
    pub message: String,
}

impl Flaw {
    /// An invalid id.
    pub(crate) fn of_id(message: String) -> Self {
        Self { field: "", message }
    }
}

/// The properties of a kind that stores and world documents use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindRow {
    /// The name, with which keys begin.
    pub name: &'static str,
    /// The schema of written rows. A reader accepts this schema and every older one.
    pub schema: u16,
    /// The member of an account in a world document that maps ids to documents of this kind. Empty:
    /// the account itself. `None`: worlds do not hold such documents, for others imply them
    /// ([`Kind::implied`]).
    pub world: Option<&'static str>,
    /// The writer of documents of this kind.
    pub writer: Writer,
}

/// Declares [`Resource`] and the table of kinds from the type and the row of each kind.
macro_rules! kinds {
    ($($kind:ident: $row:expr,)+) => {
        /// A document of any kind, shared: cloning copies no members.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Resource {
            $(#[doc = concat!("A document of the kind [`", stringify!($kind), "`].")] $kind(Arc<$kind>),)+
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
            /// The row of the document's kind.
            #[must_use]
            pub fn kind(&self) -> KindRow {
                match self { $(Self::$kind(_) => $kind::KIND,)+ }
            }

            /// Reads the members of the document `id` of the kind `name`. Unknown members are
            /// ignored; a deserializer may refuse them.
            ///
            /// # Errors
            ///
            /// The kind is unknown, or a member or the id is invalid.
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
                        document
                            .identify(account_id, id)
                            .map_err(|flaw| D::Error::custom(flaw.message))?;
                        Ok(Self::$kind(Arc::new(document)))
                    })+
                    _ => Err(D::Error::custom(format!("unknown kind `{name}`"))),
                }
            }

            /// Reads the members of a row; its key holds kind, account and id.
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
                /// The name of the kind, with which keys begin.
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

/// Converts a document to a kind.
pub trait AsKind<K> {
    /// The document, if it has that kind.
    fn as_kind(&self) -> Option<&K>;
}

pub(crate) use {found_in_region, in_region, kinds};
