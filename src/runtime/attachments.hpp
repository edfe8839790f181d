#pragma once

// Who watches a container in the background, and writes to its standard input: a socket in the container's directory, at which
// its supervisor listens. Messages (SOCK_SEQPACKET), the first byte says of what kind:
//
//   client to supervisor    i BYTES  standard input        e  the input has ended        w ROWS COLUMNS  size of the terminal (uint16_t each)
//   supervisor to client    1 BYTES  standard output       2 BYTES  standard error
//
// The supervisor hangs up when the container has ended, a client when it leaves.

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/container_log.hpp"
#include "sys/fd.hpp"
#include "sys/tty.hpp"

namespace sbx::runtime {

inline constexpr const char* kAttachSocket = "attach";
inline constexpr char kInputMessage = 'i';
inline constexpr char kInputEndMessage = 'e';
inline constexpr char kSizeMessage = 'w';
inline constexpr char kOutMessage = '1';
inline constexpr char kErrMessage = '2';
/// Of one message, with its first byte.
inline constexpr std::size_t kMaxMessage = (std::size_t{64} << 10U) + 1;

/// What clients ask for.
struct AttachedInput {
  std::function<void(std::string_view)> bytes;
  std::function<void()> end;
  std::function<void(sys::TerminalSize)> resize;
};

class Attachments {
 public:
  /// `container` is borrowed: the container's directory. A socket that was left there is replaced.
  static Result<Attachments> listen(int container);
  /// Nobody but who is adopted.
  Attachments() = default;

  /// A client that was there before the container.
  void adopt(sys::Fd connection);

  /// `take_input`: whether there is room for more input.
  void add_poll(std::vector<pollfd>& polls, bool take_input) const;
  void handle(const std::vector<pollfd>& polls, const AttachedInput& input);

  /// To all clients; at most kMaxMessage - 1 bytes. Only while keeps_up().
  void tell(LogStream stream, std::span<const std::byte> bytes);
  /// Every client has taken what it was told. A container waits for those who watch it, as it would for a pipe.
  [[nodiscard]] bool keeps_up() const;
  /// The container has ended.
  void hang_up() { clients_.clear(); }

 private:
  struct Client {
    sys::Fd connection;
    std::string waiting;  // a message that it had no room for; empty: none
  };
  void accept_one();
  /// False: it is gone.
  static bool flush(Client& client);
  static bool read_from(Client& client, const AttachedInput& input);

  sys::Fd listener_;
  std::list<Client> clients_;
};

}  // namespace sbx::runtime
