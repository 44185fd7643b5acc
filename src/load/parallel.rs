//! The same work on many items, on all cores. Used by `load` to read files and by `check` to check documents.

/// Items below which threads cost more than they bring.
const WORTH_THREADS: usize = 64;

/// Applies a function to every item on threads with a stack of so many bytes; the results keep the order of the items.
///
/// Items are dealt out like cards: neighbours are alike (files of one folder), so that parts cut in one piece would
/// be of very different weight.
///
/// # Panics
/// If the function panics, or no thread can be started.
pub fn map<T: Send, R: Send>(stack: usize, items: Vec<T>, apply: impl Fn(T) -> R + Sync) -> Vec<R> {
    let count = items.len();
    let threads = match count {
        0..WORTH_THREADS => 1,
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let mut hands: Vec<Vec<T>> = (0..threads).map(|_| Vec::with_capacity(count / threads + 1)).collect();
    let mut items = items.into_iter().peekable();
    while items.peek().is_some() {
        hands.iter_mut().zip(&mut items).for_each(|(hand, item)| hand.push(item));
    }
    let apply = &apply;
    let mut results: Vec<_> = std::thread::scope(|scope| {
        let work = |hand: Vec<T>| move || hand.into_iter().map(apply).collect::<Vec<R>>();
        let start = |hand| std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, work(hand));
        let running: Vec<_> = hands.into_iter().map(start).collect();
        let finished = running.into_iter().map(|thread| match thread.map(|thread| thread.join()) {
            Ok(Ok(results)) => results,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => std::panic::resume_unwind(Box::new(format!("cannot start a thread: {error}"))),
        });
        finished.map(Vec::into_iter).collect()
    });
    let mut ordered = Vec::with_capacity(count);
    while ordered.len() < count {
        ordered.extend(results.iter_mut().filter_map(Iterator::next));
    }
    ordered
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_keep_the_order_of_the_items() {
        for count in [0, 1, 63, 64, 65, 1000, 1001] {
            let doubled = super::map(1 << 20, (0..count).collect(), |n: usize| n * 2);
            assert_eq!(doubled, (0..count).map(|n| n * 2).collect::<Vec<_>>());
        }
    }
}
