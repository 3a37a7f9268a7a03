//! Writes the fuzzers' first inputs, which come from the contract, into a folder, by target: `seeds
//! FOLDER`.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    for (number, seed) in hostile::seeds::seeds()?.iter().enumerate() {
        let folder = Path::new(&folder).join(seed.target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("{number:05}")), &seed.input)?;
    }
    Ok(())
}
