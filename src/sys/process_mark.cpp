#include "sys/process_mark.hpp"

#include <fmt/format.h>

#include <charconv>

#include "sys/file.hpp"
#include "sys/ns.hpp"

namespace sbx::sys {
namespace {

constexpr std::size_t kStatMax = 4096;
constexpr int kStartField = 22;
constexpr int kFirstAfterName = 3;  // the name, in parentheses, may hold anything

Error gone(pid_t pid) {
  return Error::make(ErrorCode::kNotFound, "find process", std::to_string(pid), "it has ended");
}

}  // namespace

Result<ProcessMark> mark_process(pid_t pid) {
  const std::string path = fmt::format("/proc/{}/stat", pid);
  const Result<Fd> file = open_at(AT_FDCWD, path, O_RDONLY);
  const Result<std::string> text = file ? read_fd(file->get(), kStatMax, path) : fail(file.error());
  if (!text) {
    return fail(text.error().code == ErrorCode::kNotFound || text.error().sys_errno == ESRCH
                    ? gone(pid)
                    : text.error());
  }
  std::size_t at = text->rfind(')');
  for (int field = kFirstAfterName - 1; field < kStartField && at != std::string::npos; ++field) {
    at = text->find(' ', at + 1);
  }
  ProcessMark out{pid, 0};
  if (at == std::string::npos ||
      std::from_chars(text->data() + at + 1, text->data() + text->size(), out.start).ec !=
          std::errc()) {
    return fail(Error::make(ErrorCode::kCorrupt, "read", path, "it has no starting time"));
  }
  return out;
}

Result<Fd> open_process(const ProcessMark& mark) {
  if (mark.pid <= 0) {
    return fail(gone(mark.pid));
  }
  Result<Fd> process = open_process(mark.pid);
  // After the descriptor is there, the number cannot change hands unseen.
  const Result<ProcessMark> now = process ? mark_process(mark.pid) : fail(process.error());
  if (!now || now->start != mark.start) {
    return fail(gone(mark.pid));
  }
  return process;
}

}  // namespace sbx::sys
