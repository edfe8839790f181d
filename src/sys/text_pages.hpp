#pragma once

namespace sbx::sys {

/// Milliseconds after which a process that waits has settled. Dropping costs 0.2 ms, and bringing back what the end needs as
/// much again: too much for a command that takes no longer than this.
inline constexpr int kSettledMs = 1000;

/// Lets go of the program's code and constants that happen to be in our page tables. They stay in the page cache, and
/// what is used again comes back by a fault without I/O. For a process that has done its work and now waits: start-up
/// touches 2 MB of text that waiting never needs, and memory accounting counts it. To be called right before the wait: each
/// function that runs afterwards brings 64 KiB around it back.
void drop_text_pages() noexcept;

}  // namespace sbx::sys
