#include "sys/process_title.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sys/file.hpp"

namespace sbx::sys {
namespace {

constexpr int kArgStart = 48;  // fields of proc_pid_stat(5), counted from 1
constexpr int kArgEnd = 49;
constexpr int kFieldAfterName = 3;

std::uintptr_t field(std::string_view after_name, int number) {
  for (int i = kFieldAfterName; i < number; ++i) {
    after_name.remove_prefix(std::min(after_name.find(' '), after_name.size() - 1) + 1);
  }
  std::uintptr_t value = 0;
  (void)std::from_chars(after_name.data(), after_name.data() + after_name.size(), value);
  return value;
}

}  // namespace

ProcessTitle ProcessTitle::find() {
  ProcessTitle title;
  const Result<std::string> stat = read_file_at(AT_FDCWD, "/proc/self/stat", 4096);
  // The name in field 2 may hold spaces and parentheses; the last ")" ends it.
  const std::size_t name_end = stat ? stat->rfind(") ") : std::string::npos;
  if (name_end == std::string::npos) {
    return title;
  }
  const std::string_view rest = std::string_view(*stat).substr(name_end + 2);
  const std::uintptr_t begin = field(rest, kArgStart);
  const std::uintptr_t end = field(rest, kArgEnd);
  if (begin != 0 && end > begin) {
    title.begin_ = reinterpret_cast<char*>(begin);  // NOLINT: the kernel tells a number
    title.size_ = end - begin;
  }
  return title;
}

void ProcessTitle::overwrite(const char* text) const noexcept {
  if (size_ == 0) {
    return;
  }
  const std::size_t used = std::min(std::strlen(text), size_ - 1);
  std::memset(begin_, 0, size_);
  std::memcpy(begin_, text, used);
}

}  // namespace sbx::sys
