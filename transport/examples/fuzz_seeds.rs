//! Writes seeds for the fuzz target `octets` into `transport/fuzz/corpus/octets`: the golden and the malformed PDUs, each
//! cut in two ways.

use std::path::Path;

use smpp_transport::pdu::fixtures::{folder, golden};
use smpp_transport::pdu::json::from_hex;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/octets");
    std::fs::create_dir_all(&corpus)?;
    let mut seeds: Vec<(String, Vec<u8>)> = golden().into_iter().map(|each| (each.id, each.octets.to_vec())).collect();
    for entry in std::fs::read_dir(folder().join("malformed"))? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path)?;
        let hex = text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        seeds.push((name, from_hex(hex).map_err(std::io::Error::other)?));
    }
    for (name, octets) in seeds {
        for piece in [0, 6] {
            std::fs::write(corpus.join(format!("{name}-{piece}")), [&[piece], &octets[..]].concat())?;
        }
    }
    Ok(())
}
