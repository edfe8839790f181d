#include "runtime/container_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/json.hpp"
#include "base/rfc3339.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

constexpr const char* kName = "container.log";
constexpr mode_t kPrivateFile = 0600;
constexpr mode_t kPrivateDir = 0700;

Result<sys::Fd> open_newest(int directory) {
  return sys::open_at(directory, kName, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, kPrivateFile);
}

std::string numbered(unsigned number) { return fmt::format("{}.{}", kName, number); }

std::string_view stream_word(LogStream stream) {
  return stream == LogStream::kOut ? "stdout" : "stderr";
}

/// Takes `wanted` from the end of `text`. False if it does not end like that.
bool take_end(std::string_view& text, std::string_view wanted) {
  if (!text.ends_with(wanted)) {
    return false;
  }
  text.remove_suffix(wanted.size());
  return true;
}

/// Most lines: written by us, with nothing to unescape but the newline at the end. A tenth of what parsing JSON takes. nullopt says
/// nothing of the line.
std::optional<LogEntry> parse_plain_line(std::string_view line) {
  constexpr std::string_view kBegin = R"({"log":")";
  constexpr std::size_t kTimeSize = std::string_view("2026-01-02T03:04:05.678901234Z").size();
  if (!line.starts_with(kBegin) || !take_end(line, R"("})") || line.size() < kTimeSize) {
    return std::nullopt;
  }
  LogEntry out;
  out.time = line.substr(line.size() - kTimeSize);
  line.remove_suffix(kTimeSize);
  if (!take_end(line, R"(","time":")")) {
    return std::nullopt;
  }
  out.stream = line.ends_with("stderr") ? LogStream::kErr : LogStream::kOut;
  if (!take_end(line, stream_word(out.stream)) || !take_end(line, R"(","stream":")") ||
      line.size() < kBegin.size()) {
    return std::nullopt;
  }
  line.remove_prefix(kBegin.size());
  const bool whole = take_end(line, "\\n");
  if (line.find('\\') != std::string_view::npos) {
    return std::nullopt;
  }
  out.text = line;
  out.text += whole ? "\n" : "";
  return out;
}

}  // namespace

Result<ContainerLog> ContainerLog::open(int container, const LogOptions& limits) {
  ContainerLog log;
  log.limits_ = limits;
  if (!sys::exists_at(container, kLogDirectory)) {
    SBX_TRY(sys::make_dir_at(container, kLogDirectory, kPrivateDir));
  }
  log.directory_ = SBX_TRY(sys::open_at(container, kLogDirectory, O_RDONLY | O_DIRECTORY));
  log.file_ = SBX_TRY(open_newest(log.directory_.get()));
  log.size_ = static_cast<std::uint64_t>(SBX_TRY(sys::stat_fd(log.file_.get(), kName)).st_size);
  return log;
}

void ContainerLog::add(LogStream stream, std::span<const std::byte> bytes) {
  std::string& unfinished = unfinished_.at(static_cast<std::size_t>(stream));
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());  // NOLINT
  const std::string now = now_rfc3339();
  while (!rest.empty()) {
    const std::size_t newline = rest.find('\n');
    const bool whole = newline != std::string_view::npos;
    const std::size_t room = kLogLineMax - unfinished.size();
    const std::size_t taken = std::min(whole ? newline + 1 : rest.size(), room);
    unfinished.append(rest.substr(0, taken));
    rest.remove_prefix(taken);
    if (unfinished.size() == kLogLineMax || (whole && unfinished.back() == '\n')) {
      append_line(stream, unfinished, now);
      unfinished.clear();
    }
  }
  write_out();
}

void ContainerLog::end(LogStream stream) {
  std::string& unfinished = unfinished_.at(static_cast<std::size_t>(stream));
  if (!unfinished.empty()) {
    append_line(stream, unfinished, now_rfc3339());
    unfinished.clear();
    write_out();
  }
}

void ContainerLog::append_line(LogStream stream, std::string_view text, std::string_view time) {
  const std::string line =
      fmt::format("{{\"log\":{},\"stream\":\"{}\",\"time\":\"{}\"}}\n",
                  dump_json(Json(std::string(text))), stream_word(stream), time);
  const std::uint64_t before = size_ + out_.size();
  if (limits_.max_size != 0 && before != 0 && before + line.size() > limits_.max_size) {
    write_out();
    (void)rotate();  // else it grows on: better too much than nothing
  }
  out_ += line;
}

void ContainerLog::write_out() {
  if (sys::write_full(file_.get(), out_, kName)) {
    size_ += out_.size();
  } else {
    dropped_ += out_.size();
  }
  out_.clear();
}

Result<void> ContainerLog::rotate() {
  const int dir = directory_.get();
  if (limits_.max_files <= 1) {
    SBX_TRY(sys::unlink_at(dir, kName));
  } else {
    for (unsigned number = limits_.max_files - 1; number > 1; --number) {
      if (sys::exists_at(dir, numbered(number - 1))) {
        SBX_TRY(sys::rename_at(dir, numbered(number - 1), dir, numbered(number)));
      }
    }
    SBX_TRY(sys::rename_at(dir, kName, dir, numbered(1)));
  }
  file_ = SBX_TRY(open_newest(dir));
  size_ = 0;
  return {};
}

std::optional<LogEntry> parse_log_line(std::string_view line) {
  if (std::optional<LogEntry> plain = parse_plain_line(line)) {
    return plain;
  }
  const Result<Json> object = parse_json(line, "log");
  if (!object || !object->is_object()) {
    return std::nullopt;
  }
  const Result<std::optional<std::string>> text = find_string(*object, "log");
  const Result<std::optional<std::string>> stream = find_string(*object, "stream");
  const Result<std::optional<std::string>> time = find_string(*object, "time");
  if (!text || !*text || !stream || !*stream || !time || !*time) {
    return std::nullopt;
  }
  return LogEntry{**stream == "stderr" ? LogStream::kErr : LogStream::kOut, **time, **text};
}

Result<std::vector<std::string>> log_files(int container) {
  if (!sys::exists_at(container, kLogDirectory)) {
    return std::vector<std::string>();
  }
  const std::string prefix = fmt::format("{}.", kName);
  std::map<unsigned, std::string, std::greater<>> by_age;  // the oldest has the largest number
  for (const std::string& name : SBX_TRY(sys::list_dir(container, kLogDirectory))) {
    unsigned number = 0;
    const char* const end = name.data() + name.size();
    if (name == kName) {
      by_age[0] = name;
    } else if (name.starts_with(prefix) &&
               std::from_chars(name.data() + prefix.size(), end, number).ptr == end) {
      by_age[number] = name;
    }
  }
  std::vector<std::string> out;
  for (auto& [number, name] : by_age) {
    out.push_back(std::move(name));
  }
  return out;
}

}  // namespace sbx::runtime
