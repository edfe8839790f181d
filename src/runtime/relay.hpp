#pragma once

#include <array>
#include <cstddef>

#include "base/result.hpp"
#include "runtime/attachments.hpp"
#include "runtime/container_log.hpp"
#include "sys/fd.hpp"

namespace sbx::runtime {

/// Copies bytes from one descriptor to another as poll(2) allows, holding at most one buffer back.
class Relay {
 public:
  /// Both descriptors are borrowed.
  Relay(int from, int to) : from_(from), to_(to) {}

  /// What to wait for: POLLIN on from(), POLLOUT on to(), or neither when it is done.
  [[nodiscard]] bool wants_read() const { return !ended_ && size_ == 0; }
  [[nodiscard]] bool wants_write() const { return size_ != 0; }
  [[nodiscard]] bool done() const { return ended_ && size_ == 0; }
  [[nodiscard]] int from() const { return from_; }
  [[nodiscard]] int to() const { return to_; }

  /// Call when from() is readable or hung up.
  void read_some();
  /// Call when to() is writable. A reader that is gone ends the relay.
  void write_some();

 private:
  int from_;
  int to_;
  bool ended_ = false;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::array<std::byte, 16384>
      buffer_;  // NOLINT: read before written never happens; zeroing costs start-up time
};

/// Copies bytes from one descriptor to the log of a container, if it has one, and to who watches it.
class LogRelay {
 public:
  /// All are borrowed; `log` may be nullptr.
  LogRelay(int from, LogStream stream, ContainerLog* log, Attachments& watched_by)
      : from_(from), stream_(stream), log_(log), watched_by_(watched_by) {}

  [[nodiscard]] bool done() const { return ended_; }
  [[nodiscard]] int from() const { return from_; }
  /// Call when from() is readable or hung up.
  void read_some();

 private:
  int from_;
  LogStream stream_;
  ContainerLog* log_;
  Attachments& watched_by_;
  bool ended_ = false;
};

}  // namespace sbx::runtime
