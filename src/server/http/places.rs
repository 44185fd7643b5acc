//! How many connections there are, and whose: all together, and of one address.
//!
//! [`Places`] are kept by whoever has them. [`Spare`] ones, for signs of life where there is no place left, are lost to
//! whoever comes next: nobody can hold them, and a balancer is answered although its address has taken all that it may.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// Places for connections.
#[derive(Debug)]
pub struct Places {
    taken: Mutex<Taken>,
    most: usize,
    most_of_one: usize,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// The place of a connection; given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    network: IpAddr,
}

impl Places {
    pub fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::default(), most: most.max(1), most_of_one: most_of_one.max(1) })
    }

    /// A place for a connection from an address; none where there are too many.
    pub fn take(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let network = network(from);
        let mut taken = self.taken();
        let of_it = taken.by_network.get(&network).copied().unwrap_or_default();
        if taken.all >= self.most || of_it >= self.most_of_one {
            return None;
        }
        taken.all += 1;
        taken.by_network.insert(network, of_it + 1);
        Some(Place { places: self.clone(), network })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.all = taken.all.saturating_sub(1);
        if let Some(count) = taken.by_network.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.by_network.remove(&self.network);
            }
        }
    }
}

/// Places for a moment.
#[derive(Debug)]
pub struct Spare {
    /// The oldest first.
    taken: Mutex<VecDeque<(IpAddr, CancellationToken)>>,
    most: usize,
    most_of_one: usize,
}

impl Spare {
    pub fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::default(), most: most.max(1), most_of_one: most_of_one.max(1) })
    }

    /// A place for a connection from an address, until the token is cancelled. Where there are too many the oldest one
    /// goes: of that address, else of all.
    pub fn take(&self, from: IpAddr) -> CancellationToken {
        let network = network(from);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|(_, place)| !place.is_cancelled());
        let of_it = taken.iter().filter(|(of, _)| *of == network).count();
        let oldest = match () {
            () if of_it >= self.most_of_one => taken.iter().position(|(of, _)| *of == network),
            () if taken.len() >= self.most => Some(0),
            () => None,
        };
        if let Some((_, place)) = oldest.and_then(|oldest| taken.remove(oldest)) {
            place.cancel();
        }
        let place = CancellationToken::new();
        taken.push_back((network, place.clone()));
        place
    }
}

/// What one client can have of addresses: in IPv6 it is given a /64 and may use all of it.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_all_have_theirs() {
        let places = Places::new(3, 2);
        let [one, two, three] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|address| address.parse().unwrap());
        let first = places.take(one).unwrap();
        let _second = places.take(one).unwrap();
        assert!(places.take(one).is_none(), "its share is taken");
        let _third = places.take(two).unwrap();
        assert!(places.take(three).is_none(), "all are taken");
        drop(first);
        let _fourth = places.take(three).unwrap();
    }

    #[test]
    fn a_spare_place_goes_to_whoever_comes_last() {
        let spare = Spare::new(3, 2);
        let [one, two] = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap());
        let places = [one, two, one, one].map(|address| spare.take(address));
        assert_eq!(places.each_ref().map(CancellationToken::is_cancelled), [true, false, false, false]);
        spare.take(two).cancel();
        assert!(places[1].is_cancelled(), "the oldest of all");
        let last = spare.take(two);
        assert!(!places[2].is_cancelled() && !last.is_cancelled(), "one was given back");
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
