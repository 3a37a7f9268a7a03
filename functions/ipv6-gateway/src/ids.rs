//! New ids.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rand::rngs::{StdRng, SysError, SysRng};
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// The number of characters after the prefix of a resource's id.
const TAIL_CHARACTERS: usize = 17;

/// Generates new ids.
pub struct Ids {
    random: Mutex<StdRng>,
}

impl Ids {
    /// Ids that no other source generates.
    ///
    /// # Errors
    ///
    /// The system's random numbers are unavailable.
    pub fn from_system() -> Result<Self, SysError> {
        Ok(Self { random: Mutex::new(StdRng::try_from_rng(&mut SysRng)?) })
    }

    /// Ids that depend only on the seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self { random: Mutex::new(StdRng::seed_from_u64(seed)) }
    }

    /// An upper-case UUID (version 4, variant 1).
    #[must_use]
    pub fn request_id(&self) -> String {
        let uuid = uuid::Builder::from_random_bytes(self.bytes()).into_uuid();
        let mut buffer = uuid::Uuid::encode_buffer();
        uuid.hyphenated().encode_upper(&mut buffer).to_owned()
    }

    /// 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        let mut buffer = uuid::Uuid::encode_buffer();
        uuid::Uuid::from_bytes(self.bytes()).simple().encode_lower(&mut buffer).to_owned()
    }

    /// 17 lower-case letters and digits.
    pub(crate) fn tail(&self) -> String {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        (0..TAIL_CHARACTERS)
            .map(|_| char::from_digit(random.random_range(0..36), 36).unwrap_or('0'))
            .collect()
    }

    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ids").finish_non_exhaustive()
    }
}

/// A generator of random numbers for a store, seeded by the system.
///
/// # Errors
///
/// The system's random numbers are unavailable.
pub fn random() -> Result<Box<dyn Fn() -> u64 + Send + Sync>, SysError> {
    let random = Mutex::new(StdRng::try_from_rng(&mut SysRng)?);
    Ok(Box::new(move || random.lock().unwrap_or_else(PoisonError::into_inner).next_u64()))
}
