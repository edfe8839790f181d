#include "runtime/attach.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/attachments.hpp"
#include "runtime/poll_events.hpp"
#include "sys/file.hpp"
#include "sys/local_socket.hpp"
#include "sys/raw.hpp"
#include "sys/signal_fd.hpp"
#include "sys/tty.hpp"

namespace sbx::runtime {
namespace {

class Client {
 public:
  Client(const std::string& data_root, const Container& container, sys::Fd connection,
         const AttachOptions& options, DetachKeys keys)
      : data_root_(data_root),
        container_(container),
        connection_(std::move(connection)),
        options_(options),
        keys_(std::move(keys)) {}

  /// True: the container hung up. False: the user left.
  Result<bool> run(bool terminal) {
    SBX_TRY(sys::set_nonblocking(connection_.get()));
    signals_.emplace(SBX_TRY(sys::SignalFd::make()));
    terminal_ = terminal && sys::is_terminal(STDIN_FILENO);
    if (terminal_ && options_.input) {
      raw_.emplace(SBX_TRY(sys::RawTerminal::enter(STDIN_FILENO)));
    }
    send_size();
    while (!left_) {
      std::vector<pollfd> polls{
          {connection_.get(), static_cast<short>(POLLIN | (waiting_.empty() ? 0 : POLLOUT)), 0},
          {signals_->fd(), POLLIN, 0},
          {options_.input && !input_ended_ && waiting_.empty() ? STDIN_FILENO : -1, POLLIN, 0}};
      if (::poll(polls.data(), polls.size(), -1) < 0) {
        continue;  // EINTR: stopped and continued
      }
      if ((polls[0].revents & POLLOUT) != 0) {
        send_waiting();
      }
      if ((polls[0].revents & ~POLLOUT) != 0 && !take_output()) {
        return true;
      }
      if (polls[1].revents != 0) {
        handle_signals();
      }
      if (polls[2].revents != 0) {
        read_input();
      }
    }
    return false;
  }

 private:
  void send(std::string message) {
    waiting_ = std::move(message);
    send_waiting();
  }

  void send_waiting() {
    const long sent = sys::raw::send(connection_.get(), waiting_.data(), waiting_.size(), -1);
    if (sent != -EAGAIN && sent != -EINTR) {
      waiting_.clear();  // sent; or nobody is there, which the next read says
    }
  }

  /// False: the supervisor hung up.
  bool take_output() {
    std::array<char, kMaxMessage> buffer;  // NOLINT: read before written never happens
    const ssize_t got = ::read(connection_.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      return got < 0 && (errno == EAGAIN || errno == EINTR);
    }
    const int to = buffer.front() == kErrMessage ? STDERR_FILENO : STDOUT_FILENO;
    // Whoever reads us is gone: the container goes on, and so do we, for its exit code.
    (void)sys::write_full(to, {buffer.data() + 1, static_cast<std::size_t>(got) - 1}, "output");
    return true;
  }

  void read_input() {
    constexpr std::size_t kChunk = 4096;
    std::array<char, kChunk> buffer;  // NOLINT: read before written never happens
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) {
      if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        input_ended_ = true;
        send(std::string(1, kInputEndMessage));
      }
      return;
    }
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    const DetachKeys::Fed fed = terminal_ ? keys_.feed(bytes) : DetachKeys::Fed{std::string(bytes)};
    left_ = fed.detach;
    if (!fed.forward.empty()) {
      send(kInputMessage + fed.forward);
    }
  }

  void send_size() {
    const auto size = terminal_ ? sys::terminal_size(STDIN_FILENO) : std::nullopt;
    if (!size || !waiting_.empty()) {
      return;
    }
    const std::array<std::uint16_t, 2> numbers{size->rows, size->columns};
    std::string message(1 + sizeof numbers, kSizeMessage);
    std::memcpy(message.data() + 1, numbers.data(), sizeof numbers);
    send(std::move(message));
  }

  void handle_signals() {
    while (const int signal = signals_->next()) {
      if (signal == SIGWINCH) {
        send_size();
      } else if (signal != SIGCHLD && signal != SIGCONT && signal != SIGPIPE) {
        if (options_.signals.value_or(true)) {
          (void)kill_container(data_root_, container_,
                               signal);  // if it has ended, we are about to hear
        } else {
          left_ = true;
        }
      }
    }
  }

  const std::string& data_root_;
  const Container& container_;
  sys::Fd connection_;
  const AttachOptions& options_;
  DetachKeys keys_;
  std::optional<sys::SignalFd> signals_;
  std::optional<sys::RawTerminal> raw_;
  std::string waiting_;  // a message that the supervisor had no room for
  bool terminal_ = false;
  bool input_ended_ = false;
  bool left_ = false;
};

}  // namespace

Result<sys::Fd> attach_to(const std::string& data_root, const Container& given) {
  const Container container = SBX_TRY(settled(data_root, given));
  const std::string name = container.state.id.substr(0, 12);
  if (!container.running()) {
    return fail(Error::make(ErrorCode::kBusy, "attach to container", name, "it is not running")
                    .with_hint("'sbx start --attach' runs it"));
  }
  const sys::Fd dir = SBX_TRY(sys::open_at(
      AT_FDCWD, data_root + "/containers/" + container.state.id, O_RDONLY | O_DIRECTORY));
  std::optional<sys::Fd> connection = SBX_TRY(sys::connect_at(dir.get(), kAttachSocket));
  return connection ? Result<sys::Fd>(*std::move(connection))
                    : fail(Error::make(ErrorCode::kUnsupported, "attach to container", name,
                                       "its supervisor does not listen: it runs in the foreground "
                                       "of another sbx, or its directory takes no sockets"));
}

Attached::Attached(std::string data_root, Container container, AttachOptions options,
                   DetachKeys keys, bool terminal)
    : data_root_(std::move(data_root)),
      container_(std::move(container)),
      options_(std::move(options)),
      keys_(std::move(keys)),
      terminal_(terminal),
      end_(data_root_, container_) {}

Result<Attached> Attached::prepare(const std::string& data_root, const Container& container,
                                   const AttachOptions& options) {
  const ContainerConfig config = SBX_TRY(read_container_config(data_root, container.state.id));
  DetachKeys keys = SBX_TRY(DetachKeys::parse(options.detach_keys));
  return Attached(data_root, container, options, std::move(keys), config.spec.process.terminal);
}

Result<int> Attached::run(sys::Fd connection) {
  Client client(data_root_, container_, std::move(connection), options_, std::move(keys_));
  return SBX_TRY(client.run(terminal_)) ? end_.wait(WaitFor::kNextExit) : Result<int>(0);
}

}  // namespace sbx::runtime
