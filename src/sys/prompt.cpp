#include "sys/prompt.hpp"

#include <fcntl.h>

#include <array>

#include "sys/fd.hpp"
#include "sys/file.hpp"
#include "sys/tty.hpp"

namespace sbx::sys {
namespace {

constexpr std::size_t kMaxAnswer = 4096;
constexpr char kInterrupt = 0x03;  // Ctrl-C
constexpr char kEndOfFile = 0x04;  // Ctrl-D
constexpr char kKillLine = 0x15;   // Ctrl-U
constexpr char kBackspace = 0x08;
constexpr char kDelete = 0x7f;

void erase_last(std::string& answer) {
  // A character of UTF-8 is a lead byte and those that go on.
  while (!answer.empty() && (static_cast<unsigned char>(answer.back()) & 0xC0U) == 0x80U) {
    answer.pop_back();
  }
  if (!answer.empty()) {
    answer.pop_back();
  }
}

enum class Step { kMore, kDone, kBrokenOff };

Step take(std::string& answer, char byte) {
  switch (byte) {
    case '\r':
    case '\n':
      return Step::kDone;
    case kInterrupt:
      return Step::kBrokenOff;
    case kEndOfFile:
      return answer.empty() ? Step::kBrokenOff : Step::kMore;
    case kKillLine:
      answer.clear();
      return Step::kMore;
    case kBackspace:
    case kDelete:
      erase_last(answer);
      return Step::kMore;
    default:
      answer.push_back(byte);
      return answer.size() < kMaxAnswer ? Step::kMore : Step::kDone;
  }
}

Result<void> say(int terminal, std::string_view text) {
  return write_full(terminal, std::as_bytes(std::span(text)), "/dev/tty");
}

/// In raw mode: no key makes a signal, so that nothing ends us before the terminal is as it was. Asked only then: what is typed
/// before would be shown.
Result<Step> read_raw(int terminal, std::string_view question, std::string& answer) {
  const RawTerminal raw = SBX_TRY(RawTerminal::enter(terminal));
  SBX_TRY(say(terminal, question));
  for (;;) {
    std::array<std::byte, 1> byte{};
    if (SBX_TRY(read_available(terminal, byte, "/dev/tty")) == 0) {
      return Step::kBrokenOff;
    }
    if (const Step step = take(answer, static_cast<char>(byte[0])); step != Step::kMore) {
      return step;
    }
  }
}

Result<Step> read_line(int terminal, std::string_view question, std::string& answer) {
  SBX_TRY(say(terminal, question));
  std::array<std::byte, kMaxAnswer> line{};
  const std::size_t got = SBX_TRY(read_available(terminal, line, "/dev/tty"));
  answer.assign(reinterpret_cast<const char*>(line.data()), got);
  while (!answer.empty() && (answer.back() == '\n' || answer.back() == '\r')) {
    answer.pop_back();
  }
  return got == 0 ? Step::kBrokenOff : Step::kDone;
}

}  // namespace

Result<std::string> ask_terminal(std::string_view question, Echo echo) {
  const Result<Fd> terminal = open_at(AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (!terminal) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "ask", question, "there is no terminal"));
  }
  const int fd = terminal->get();
  std::string answer;
  const Step step = echo == Echo::kHidden ? SBX_TRY(read_raw(fd, question, answer))
                                          : SBX_TRY(read_line(fd, question, answer));
  if (echo == Echo::kHidden || step == Step::kBrokenOff) {
    SBX_TRY(say(fd, "\n"));
  }
  return step == Step::kDone
             ? Result<std::string>(std::move(answer))
             : fail(Error::make(ErrorCode::kBusy, "ask", question, "the answer was broken off"));
}

}  // namespace sbx::sys
