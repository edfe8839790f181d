#pragma once

#include <termios.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "base/result.hpp"

namespace sbx::sys {

struct TerminalSize {
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
};

[[nodiscard]] bool is_terminal(int fd);
std::optional<TerminalSize> terminal_size(int fd);
/// Ignores failure: a window that cannot be resized stays as it is.
void set_terminal_size(int fd, TerminalSize size);

/// Raw mode of a terminal, undone at the end of life. The terminal's descriptor is borrowed.
class RawTerminal {
 public:
  static Result<RawTerminal> enter(int fd);
  /// Only remembers the settings as they are, for restore(): for who cleans up after somebody else's raw mode.
  static Result<RawTerminal> remember(int fd);
  ~RawTerminal() { restore(); }
  RawTerminal(RawTerminal&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), saved_(other.saved_) {}
  RawTerminal& operator=(RawTerminal&& other) noexcept {
    if (this != &other) {
      restore();
      fd_ = std::exchange(other.fd_, -1);
      saved_ = other.saved_;
    }
    return *this;
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  /// Safe to call from a background process group: SIGTTOU is blocked meanwhile.
  void restore() noexcept;
  /// Another process takes over the duty to restore.
  void release() { fd_ = -1; }

 private:
  RawTerminal(int fd, const termios& saved) : fd_(fd), saved_(saved) {}
  int fd_;
  termios saved_;
};

}  // namespace sbx::sys
