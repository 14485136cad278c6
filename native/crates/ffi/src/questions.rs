//! Questions to tables of the viewer's store: sort, hold, count, compare. No logic: see `store`.
//!
//! Any number of threads may ask at once. `given_up`: as in `super::store`.

use super::store::{answer, argument, is_set, many, of, space};
use super::{catch, place, AiError};
use segment::status::{Error, Result, Status};
use store::{
    compare, lines, sorted, Compared, GroupCounts, HandleField, HandleOrder, HandleTable, Keys,
    LineCounts, Places, Question,
};

/// A question for `ai_table_order`. Arrays may be NULL where their length is 0.
#[repr(C)]
pub struct AiQuestion {
    /// Not 0 for each row to show.
    pub shown: *const u8,
    /// 0: all rows are shown; else the rows of the table.
    pub shown_length: usize,
    /// For each index of a type its place in the order of types.
    pub ranks: *const u32,
    /// See `ranks`.
    pub ranks_length: usize,
    /// `KeyKind`: how the numbers are found that rows are sorted by.
    pub key_kind: u32,
    /// A `HandleField`, for counts and ranks.
    pub key_field: u32,
    /// Numbers of rows, or of the indices in the column.
    pub keys: *const f64,
    /// See `keys`.
    pub keys_length: usize,
    /// Largest first.
    pub is_descending: i32,
    /// Seconds since the Unix epoch.
    pub now: f64,
    /// How long a dead row stays among the living rows.
    pub moment_secs: f64,
    /// An order to hold: numbers of handles; NULL: sort.
    pub held_ids: *const u64,
    /// 1 for those of them that had arrived.
    pub held_arrived: *const u8,
    /// See `held_ids`.
    pub held_length: usize,
}

/// How the numbers are found that rows are sorted by.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `keys` has one for each row.
    Given = 0,
    /// A count of the columns.
    Count = 1,
    /// The age.
    Age = 2,
    /// The slot.
    Slot = 3,
    /// `keys` has one for each index in the column; for the states, for both states together.
    Ranks = 4,
}

/// Sizes of an order.
#[repr(C)]
pub struct AiOrderFacts {
    /// Rows shown.
    pub rows: u64,
    /// Types among them.
    pub groups: u64,
    /// Arrived rows that do not stand where a sort would put them.
    pub arrivals: u64,
}

/// Sort the rows of a table, or hold an order. NULL when it fails.
///
/// # Safety
/// `table` is alive; the arrays of `question` have the lengths given; `given_up` is NULL or a
/// number; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_table_order(
    table: *const HandleTable,
    question: *const AiQuestion,
    given_up: *const i32,
    error: *mut AiError,
) -> *mut HandleOrder {
    let mut made = std::ptr::null_mut();
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let asked = question.as_ref().ok_or_else(|| argument("no question"))?;
            let question = Question {
                shown: many(asked.shown, asked.shown_length)?,
                ranks: many(asked.ranks, asked.ranks_length)?,
                keys: keys(asked)?,
                is_descending: asked.is_descending != 0,
                now: asked.now,
                moment_secs: asked.moment_secs,
            };
            let held = (!asked.held_ids.is_null()).then_some(asked.held_length);
            let held = match held {
                None => None,
                Some(length) => Some(Places {
                    ids: many(asked.held_ids, length)?,
                    arrived: many(asked.held_arrived, length)?,
                }),
            };
            let order = sorted(of(table)?, &question, held, &|| is_set(given_up));
            let order = order.ok_or_else(|| ended(given_up))?;
            made = Box::into_raw(Box::new(order));
            Ok(())
        });
    }
    made
}

/// Sizes of an order.
///
/// # Safety
/// `order` is alive; `out` points to memory for them; `error` is NULL or points to memory for an
/// `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_order_facts(
    order: *const HandleOrder,
    out: *mut AiOrderFacts,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let order = order.as_ref().ok_or_else(|| argument("no order"))?;
            *place(out)? = AiOrderFacts {
                rows: order.rows.len() as u64,
                groups: order.groups.len() as u64,
                arrivals: order.arrivals,
            };
            Ok(())
        })
    }
}

/// Copy an order.
///
/// # Safety
/// `order` is alive; the arrays have the lengths that `ai_order_facts` tells; `error` is NULL or
/// points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_order_copy(
    order: *const HandleOrder,
    rows: *mut i64,
    arrived: *mut u8,
    groups: *mut GroupCounts,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let order = order.as_ref().ok_or_else(|| argument("no order"))?;
            let length = order.rows.len();
            for (place, &row) in space(rows, length)?.iter_mut().zip(&order.rows) {
                *place = i64::from(row);
            }
            space(arrived, length)?.copy_from_slice(&order.arrived);
            space(groups, order.groups.len())?.copy_from_slice(&order.groups);
            Ok(())
        })
    }
}

/// Free an order. NULL is fine.
///
/// # Safety
/// `order` came from `ai_table_order`; no thread uses it now or later.
#[no_mangle]
pub unsafe extern "C" fn ai_order_free(order: *mut HandleOrder) {
    if !order.is_null() {
        // SAFETY: the caller's promise; the box was made by `ai_table_order`.
        drop(unsafe { Box::from_raw(order) });
    }
}

/// Count the handles of a table by type and site. `ids` is NULL, or the numbers of the handles that
/// lived at a mark, with `types` and `sites`. Answers with the number of lines, of which at most
/// `capacity` are written, or with a negative `Status`.
///
/// # Safety
/// `table` is alive; the arrays of the mark have `length` elements, `out` has `capacity`;
/// `given_up` is NULL or a number; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
#[allow(clippy::too_many_arguments, reason = "a C interface")]
pub unsafe extern "C" fn ai_table_lines(
    table: *const HandleTable,
    ids: *const u64,
    types: *const i64,
    sites: *const i64,
    length: usize,
    out: *mut LineCounts,
    capacity: usize,
    given_up: *const i32,
    error: *mut AiError,
) -> i64 {
    let mut count = 0;
    // SAFETY: the caller's promises.
    let status = unsafe {
        catch(error, || {
            let mark = if ids.is_null() {
                None
            } else {
                let (types, sites) = (many(types, length)?, many(sites, length)?);
                Some(Compared { ids: many(ids, length)?, types, sites })
            };
            let found = lines(of(table)?, mark.as_ref(), &|| is_set(given_up));
            let found = found.ok_or_else(|| ended(given_up))?;
            let fitting = found.len().min(capacity);
            space(out, fitting)?.copy_from_slice(&found[..fitting]);
            count = found.len();
            Ok(())
        })
    };
    answer(status, count)
}

/// Which rows of a table live that a mark does not have, and which handles of the mark live no
/// more: 1 in `born` and `dead`.
///
/// # Safety
/// `table` is alive; `ids` and `dead` have `length` elements, `born` as many as the table has rows;
/// `given_up` is NULL or a number; `error` is NULL or points to memory for an `AiError`.
#[no_mangle]
pub unsafe extern "C" fn ai_table_compare(
    table: *const HandleTable,
    ids: *const u64,
    length: usize,
    born: *mut u8,
    dead: *mut u8,
    given_up: *const i32,
    error: *mut AiError,
) -> i32 {
    // SAFETY: the caller's promises.
    unsafe {
        catch(error, || {
            let table = of(table)?;
            let mark = Compared { ids: many(ids, length)?, types: &[], sites: &[] };
            let found = compare(table, &mark, &|| is_set(given_up));
            let (is_born, is_dead) = found.ok_or_else(|| ended(given_up))?;
            let born = space(born, is_born.len())?;
            born.iter_mut().zip(is_born).for_each(|(place, is)| *place = u8::from(is));
            let dead = space(dead, length)?;
            dead.iter_mut().zip(is_dead).for_each(|(place, is)| *place = u8::from(is));
            Ok(())
        })
    }
}

/// The numbers that rows are sorted by.
///
/// # Safety
/// `keys` of `asked` has the length given.
unsafe fn keys(asked: &AiQuestion) -> Result<Keys<'_>> {
    // SAFETY: the caller's promise.
    let numbers = unsafe { many(asked.keys, asked.keys_length)? };
    let field =
        || HandleField::from_number(asked.key_field).ok_or_else(|| argument("no such column"));
    match asked.key_kind {
        kind if kind == KeyKind::Given as u32 => Ok(Keys::Given(numbers)),
        kind if kind == KeyKind::Count as u32 => Ok(Keys::Count(field()?)),
        kind if kind == KeyKind::Age as u32 => Ok(Keys::Age),
        kind if kind == KeyKind::Slot as u32 => Ok(Keys::Slot),
        kind if kind == KeyKind::Ranks as u32 => Ok(Keys::Ranks(field()?, numbers)),
        kind => Err(argument(&format!("there is no key of kind {kind}"))),
    }
}

/// Why a question has no answer.
fn ended(given_up: *const i32) -> Error {
    if is_set(given_up) {
        Error::new(Status::Unavailable, "the question was given up")
    } else {
        argument("the question does not fit the table")
    }
}
