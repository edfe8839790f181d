#include "sys/tty.hpp"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sbx::sys {

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

std::optional<TerminalSize> terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) {
    return std::nullopt;
  }
  return TerminalSize{size.ws_row, size.ws_col};
}

void set_terminal_size(int fd, TerminalSize size) {
  winsize wanted{};
  wanted.ws_row = size.rows;
  wanted.ws_col = size.columns;
  (void)::ioctl(fd, TIOCSWINSZ, &wanted);  // see the header
}

Result<RawTerminal> RawTerminal::remember(int fd) {
  termios saved{};
  if (::tcgetattr(fd, &saved) != 0) {
    return fail(Error::system("read the terminal's settings", ""));
  }
  return RawTerminal(fd, saved);
}

Result<RawTerminal> RawTerminal::enter(int fd) {
  RawTerminal terminal = SBX_TRY(remember(fd));
  termios raw = terminal.saved_;
  ::cfmakeraw(&raw);
  if (::tcsetattr(fd, TCSADRAIN, &raw) != 0) {
    terminal.release();
    return fail(Error::system("switch the terminal to raw mode", ""));
  }
  return terminal;
}

void RawTerminal::restore() noexcept {
  if (fd_ < 0) {
    return;
  }
  // tcsetattr from a background process group stops the caller unless SIGTTOU is blocked; termios(3).
  sigset_t block{};
  sigset_t before{};
  ::sigemptyset(&block);
  ::sigaddset(&block, SIGTTOU);
  (void)::sigprocmask(SIG_BLOCK, &block, &before);
  (void)::tcsetattr(fd_, TCSADRAIN, &saved_);  // a terminal that is gone needs no restoring
  (void)::sigprocmask(SIG_SETMASK, &before, nullptr);
  fd_ = -1;
}

}  // namespace sbx::sys
