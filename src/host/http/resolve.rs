//! Names of hosts to addresses that may be asked. What was judged here is what is connected to: nobody asks again.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{address, error::Refused};
use crate::settings::Network;

/// Asks for the addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> + Send + Sync>;

/// Asks the system.
pub fn system() -> Lookup {
    Arc::new(|host| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|found| found.ip()).collect())
        })
    })
}

pub(super) struct Resolver {
    pub lookup: Lookup,
    pub open: Arc<[Network]>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, open) = ((self.lookup)(name.as_str().to_owned()), self.open.clone());
        Box::pin(async move {
            let found = found.await?;
            let judge = |address: IpAddr| address::refused(address, &open).map(|what| (address, what));
            let refused = found.iter().copied().find_map(judge);
            let may: Vec<SocketAddr> =
                found.into_iter().filter(|at| judge(*at).is_none()).map(|at| SocketAddr::new(at, 0)).collect();
            match refused {
                Some((address, what)) if may.is_empty() => {
                    Err(Refused { host: name.as_str().to_owned(), address, what }.into())
                }
                _ => Ok(Box::new(may.into_iter()) as Addrs),
            }
        })
    }
}
