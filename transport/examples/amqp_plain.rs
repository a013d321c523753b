//! What `benches/throughput.py` holds the transport against, and what fills its queue:
//! `amqp_plain fill URL COUNT`, `amqp_plain loop URL PREFETCH COUNT`.

use std::error::Error;

#[path = "../benches/plain/mod.rs"]
mod plain;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fill", url, count] => plain::fill(url, count.parse()?).await,
        ["loop", url, prefetch, count] => {
            plain::plain(url, prefetch.parse()?, count.parse()?).await;
        }
        _ => return Err("fill URL COUNT, or loop URL PREFETCH COUNT".into()),
    }
    Ok(())
}
