#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

namespace sbx {

/// What kind of failure; decides the exit code and lets callers react. The words are in the Error.
enum class ErrorCode {
  kSystem,             // a system call failed; sys_errno says how
  kInvalidArgument,    // the user asked for something that makes no sense
  kNotFound,           // an image, a file, a user that is not there
  kAlreadyExists,      // a name that is taken
  kCorrupt,            // bytes that are not what they claim to be
  kLimit,              // more than we are willing to take from outside
  kUnsupported,        // understood, but not something sbx (or this machine) does
  kDenied,             // the kernel or the machine's policy forbids it
  kBusy,               // in use by somebody else
  kCommandNotFound,    // exit code 127
  kCommandNotRunnable  // exit code 126
};

/// An errno value on its own: 4 bytes, no allocation. For overlay/core and what runs after clone().
class Errno {
 public:
  constexpr Errno() = default;
  constexpr explicit Errno(int value) : value_(value) {}
  [[nodiscard]] constexpr int value() const { return value_; }
  friend constexpr bool operator==(Errno, Errno) = default;
  /// The calling thread's errno.
  static Errno last() { return Errno(errno); }

 private:
  int value_ = 0;
};

/// A failure as the user shall read it:
///   sbx: cannot OP 'SUBJECT': REASON
///     while TRAIL
///     hint: HINT
struct Error {
  ErrorCode code = ErrorCode::kSystem;
  int sys_errno = 0;    // 0 if no system call was at fault
  std::string op;       // a verb in the infinitive, e.g. "mount overlay at", "read image"
  std::string subject;  // path, digest, name or id; printed in quotes and escaped; may be empty
  std::string reason;   // empty: strerror(sys_errno)
  std::string hint;     // what to do; may be empty
  std::vector<std::string> trail;  // innermost first

  /// From errno as it stands, or `error_number`. ENOENT and EEXIST set the matching code.
  static Error system(std::string op, std::string_view subject, int error_number = errno);
  static Error make(ErrorCode code, std::string op, std::string_view subject, std::string reason);

  [[nodiscard]] Error with_hint(std::string text) &&;
  [[nodiscard]] Error with_context(std::string text) &&;

  /// All lines, without the leading program name, no newline at the end.
  [[nodiscard]] std::string message() const;
};

/// Text from outside made safe for a terminal: control bytes and invalid UTF-8 become \xNN, quotes are
/// escaped, more than `max` bytes are cut with "…".
std::string printable(std::string_view text, std::size_t max = 256);

/// strerror without shared state.
std::string errno_text(int error_number);

}  // namespace sbx
