#pragma once

// What a container wrote, as docker's driver json-file keeps it: a line of JSON for each line of output,
//   {"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}
// Lines of more than 16 KiB are split, all parts but the last without their "\n". log/container.log is the newest file;
// older ones are log/container.log.1, .2 and so on.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sbx/run.hpp>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::runtime {

enum class LogStream : std::uint8_t { kOut, kErr };

inline constexpr std::size_t kLogLineMax = std::size_t{16} << 10U;
inline constexpr const char* kLogDirectory = "log";

/// Appends. What cannot be written (a full disk) is dropped, and the container goes on; dropped() tells.
class ContainerLog {
 public:
  /// `container` is borrowed: the container's directory.
  static Result<ContainerLog> open(int container, const LogOptions& limits);

  /// Takes bytes as they come; whole lines go to the file at once.
  void add(LogStream stream, std::span<const std::byte> bytes);
  /// The stream has ended: what it left without a newline is a line too.
  void end(LogStream stream);
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void append_line(LogStream stream, std::string_view text, std::string_view time);
  void write_out();
  Result<void> rotate();

  LogOptions limits_;
  sys::Fd directory_;
  sys::Fd file_;
  std::uint64_t size_ = 0;                   // of the file
  std::array<std::string, 2> unfinished_{};  // by stream
  std::string out_;                          // JSON that is about to be written
  std::uint64_t dropped_ = 0;                // bytes
};

/// One line of a log, read back.
struct LogEntry {
  LogStream stream = LogStream::kOut;
  std::string time;  // RFC 3339
  std::string text;  // with its newline, if it had one
};

/// nullopt for what is not a line of a log: cut off by a power cut, or damaged.
std::optional<LogEntry> parse_log_line(std::string_view line);

/// The log's files, the oldest first, as names in kLogDirectory. Empty if nothing was logged.
Result<std::vector<std::string>> log_files(int container);

}  // namespace sbx::runtime
