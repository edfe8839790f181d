#pragma once

namespace sbx {

/// Says which invariant broke, and where, then aborts. Takes no lock and allocates nothing.
[[noreturn]] void assertion_failed(const char* what, const char* file, int line) noexcept;

}  // namespace sbx

/// Stays on in release builds: a broken invariant ends the process, it does not go on with bad state.
#define SBX_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::sbx::assertion_failed(#condition, __FILE__, __LINE__))
