#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sbx::sys {

enum class Echo { kShown, kHidden };

/// Asks on the controlling terminal (/dev/tty), whatever standard input is: the answer without its line's end, at most 4 KiB
/// (what a terminal's line holds). kInvalidArgument if there is no terminal; kBusy if the user breaks off (Ctrl-C, Ctrl-D). The
/// terminal is as before afterwards, also then.
Result<std::string> ask_terminal(std::string_view question, Echo echo);

}  // namespace sbx::sys
