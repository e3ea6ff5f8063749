//! Which service waits for which. Starts and stops none by itself.

use std::future::Future;

use futures_util::future::join_all;
use tokio::sync::watch;

use crate::Error;
use crate::manager::{Manager, Service};

/// A service and what is to be done with it.
pub(crate) struct Wish<T> {
    pub(crate) service: Service,
    pub(crate) wish: T,
    /// Those it needs, by their places in the list.
    needs: Vec<usize>,
}

impl<T> Wish<T> {
    pub(crate) fn new(service: Service, wish: T) -> Self {
        Self {
            service,
            wish,
            needs: Vec::new(),
        }
    }
}

impl Manager {
    /// Completes a list by the services that those in it need, and notes who needs whom.
    pub(crate) fn with_needs<T>(
        &self,
        wishes: &mut Vec<Wish<T>>,
        also: impl Fn(&T) -> T,
    ) -> Result<(), Error> {
        let mut next = 0;
        while next < wishes.len() {
            let names = wishes[next].service.driver.about().needs;
            for name in names {
                let service = self.service(name)?;
                let known = place(wishes, &service);
                let needed = known.unwrap_or_else(|| {
                    let wish = also(&wishes[next].wish);
                    wishes.push(Wish::new(service, wish));
                    wishes.len() - 1
                });
                wishes[next].needs.push(needed);
            }
            next += 1;
        }
        no_circle(wishes)
    }

    /// Notes who in a list needs whom, and adds nobody.
    pub(crate) fn among<T>(&self, wishes: &mut [Wish<T>]) -> Result<(), Error> {
        for index in 0..wishes.len() {
            for name in wishes[index].service.driver.about().needs {
                let service = self.service(name)?;
                if let Some(needed) = place(wishes, &service) {
                    wishes[index].needs.push(needed);
                }
            }
        }
        no_circle(wishes)
    }
}

/// Does something with every service at once, with each after those that it needs.
pub(crate) async fn upwards<T, R, F: Future<Output = Result<R, Error>>>(
    wishes: &[Wish<T>],
    work: impl Fn(usize) -> F,
) -> Vec<Result<R, Error>> {
    let waits = wishes.iter().map(|wish| wish.needs.clone()).collect();
    in_order(wishes, waits, work).await
}

/// Does something with every service at once, with each after those that need it.
pub(crate) async fn downwards<T, R, F: Future<Output = Result<R, Error>>>(
    wishes: &[Wish<T>],
    work: impl Fn(usize) -> F,
) -> Vec<Result<R, Error>> {
    let needing = |index: usize| {
        let others = wishes.iter().enumerate();
        let needing = others.filter(move |(_, wish)| wish.needs.contains(&index));
        needing.map(|(other, _)| other).collect()
    };
    in_order(wishes, (0..wishes.len()).map(needing).collect(), work).await
}

async fn in_order<T, R, F: Future<Output = Result<R, Error>>>(
    wishes: &[Wish<T>],
    waits: Vec<Vec<usize>>,
    work: impl Fn(usize) -> F,
) -> Vec<Result<R, Error>> {
    let done: Vec<_> = wishes.iter().map(|_| watch::channel(None).0).collect();
    let (done, work) = (&done, &work);
    let each = waits
        .into_iter()
        .enumerate()
        .map(|(index, waits)| async move {
            for other in waits {
                let mut outcome = done[other].subscribe();
                let outcome = outcome.wait_for(Option::is_some).await;
                if !outcome.is_ok_and(|outcome| *outcome == Some(true)) {
                    done[index].send_replace(Some(false));
                    return Err(Error::Needed {
                        service: wishes[index].service.name,
                        other: wishes[other].service.name,
                    });
                }
            }
            let result = work(index).await;
            done[index].send_replace(Some(result.is_ok()));
            result
        });
    join_all(each).await
}

fn place<T>(wishes: &[Wish<T>], service: &Service) -> Option<usize> {
    let found = |wish: &Wish<T>| wish.service.name == service.name;
    wishes.iter().position(found)
}

/// Whether everybody gets their turn: whoever needs only those that had theirs has it.
fn no_circle<T>(wishes: &[Wish<T>]) -> Result<(), Error> {
    let mut had = vec![false; wishes.len()];
    loop {
        let turn =
            |index: &usize| !had[*index] && wishes[*index].needs.iter().all(|needed| had[*needed]);
        let next: Vec<usize> = (0..wishes.len()).filter(turn).collect();
        if next.is_empty() {
            break;
        }
        next.into_iter().for_each(|index| had[index] = true);
    }
    let stuck = had.iter().position(|had| !had);
    stuck.map_or(Ok(()), |index| {
        Err(Error::NeedsCircle {
            service: wishes[index].service.name,
        })
    })
}
