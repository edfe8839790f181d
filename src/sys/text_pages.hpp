#pragma once

namespace sbx::sys {

/// Lets go of the program's code and constants that happen to be in our page tables. They stay in the page cache, and
/// what is used again comes back by a fault without I/O. For a process that has done its work and now waits: start-up
/// touches 2 MB of text that waiting never needs, and memory accounting counts it.
void drop_text_pages() noexcept;

}  // namespace sbx::sys
