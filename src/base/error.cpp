#include "base/error.hpp"

#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/assert.hpp"

namespace sbx {
namespace {

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case EACCES:
    case EPERM:
      return ErrorCode::kDenied;
    case EBUSY:
      return ErrorCode::kBusy;
    default:
      return ErrorCode::kSystem;
  }
}

/// The length of the UTF-8 sequence at the start of `text`, 0 if it is not valid or not printable.
/// Overlong forms and surrogates count as invalid; C1 controls (U+0080..U+009F) as not printable.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(1) && !(first == 0xC2 && byte(1) < 0xA0) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && text.size() > 1 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && text.size() > 1 && byte(1) >= 0xA0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && text.size() > 1 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && text.size() > 1 && byte(1) >= 0x90;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

void assertion_failed(const char* what, const char* file, int line) noexcept {
  // No fmt, no stdio: this must work after clone() and with a broken heap.
  std::array<char, 16> digits{};
  std::size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + line % 10);
    line /= 10;
  } while (line != 0 && at > 0);
  const auto say = [](std::string_view text) {
    (void)!::write(STDERR_FILENO, text.data(), text.size());  // nothing left to do if this fails
  };
  say("sbx: broken invariant: ");
  say(what);
  say(" at ");
  say(file);
  say(":");
  say({digits.data() + at, digits.size() - at});
  say("\n");
  std::abort();
}

std::string errno_text(int error_number) {
  std::array<char, 128> buffer{};
  return strerror_r(error_number, buffer.data(), buffer.size());  // GNU variant
}

std::string printable(std::string_view text, std::size_t max) {
  std::string out;
  bool cut = text.size() > max;
  text = text.substr(0, max);
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    std::size_t length = 1;
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\'' || c == '\\') {
      out += '\\';
      out += text.front();
    } else if (c >= 0x20 && c < 0x7F) {
      out += text.front();
    } else if (const std::size_t sequence = utf8_length(text); sequence != 0) {
      length = sequence;
      out += text.substr(0, length);
    } else {
      out += fmt::format("\\x{:02x}", c);
    }
    text.remove_prefix(length);
  }
  if (cut) {
    out += "…";
  }
  return out;
}

Error Error::system(std::string op, std::string_view subject, int error_number) {
  Error error;
  error.code = code_of(error_number);
  error.sys_errno = error_number;
  error.op = std::move(op);
  error.subject = subject;
  return error;
}

Error Error::make(ErrorCode code, std::string op, std::string_view subject, std::string reason) {
  Error error;
  error.code = code;
  error.op = std::move(op);
  error.subject = subject;
  error.reason = std::move(reason);
  return error;
}

Error Error::with_hint(std::string text) && {
  hint = std::move(text);
  return std::move(*this);
}

Error Error::with_context(std::string text) && {
  trail.push_back(std::move(text));
  return std::move(*this);
}

std::string Error::message() const {
  std::string out = fmt::format("cannot {}", op);
  if (!subject.empty()) {
    out += fmt::format(" '{}'", printable(subject));
  }
  const std::string why = reason.empty() && sys_errno != 0 ? errno_text(sys_errno) : reason;
  if (!why.empty()) {
    out += fmt::format(": {}", why);
  }
  for (const std::string& step : trail) {
    out += fmt::format("\n  while {}", step);
  }
  if (!hint.empty()) {
    out += fmt::format("\n  hint: {}", hint);
  }
  return out;
}

}  // namespace sbx
