#include "runtime/image_keeper.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <vector>

#include "sys/channel.hpp"
#include "sys/file.hpp"
#include "sys/local_socket.hpp"
#include "sys/lock.hpp"
#include "sys/ns.hpp"
#include "sys/raw.hpp"
#include "sys/text_pages.hpp"

namespace sbx::runtime {
namespace {

// The keeper answers at once, unless the machine has no time for it.
constexpr int kAnswerMs = 5000;
// Hundreds of layers and id ranges.
constexpr std::size_t kMaxKey = std::size_t{64} << 10U;
// How often a lock is tried that others hold for some milliseconds.
constexpr int kLockMs = 10;

struct Client {
  sys::Fd connection;
  sys::Fd init;  // of its sandbox, once we know it
  bool served = false;
};

class Keeper {
 public:
  explicit Keeper(ImageKeeperInput input) : in_(std::move(input)), buffer_(kMaxKey) {
    add(std::move(in_.first));
    serve(clients_.back());
  }

  void run() {
    bool settling = true;
    for (;;) {
      const int wait = clients_.empty() ? kLockMs : settling ? sys::kSettledMs : -1;
      if (clients_.empty() && end()) {
        return;
      }
      std::vector<pollfd> polls{{full_ ? -1 : in_.listener.get(), POLLIN, 0}};
      for (const Client& client : clients_) {
        polls.push_back({client.connection.get(), POLLIN, 0});
      }
      const int events = ::poll(polls.data(), polls.size(), wait);
      if (events == 0 && settling && !clients_.empty()) {
        settling = false;
        sys::drop_text_pages();
      }
      if (events > 0) {
        handle(polls);
      }
    }
  }

 private:
  void add(sys::Fd connection) {
    clients_.emplace_back();
    clients_.back().connection = std::move(connection);
  }

  void handle(const std::vector<pollfd>& polls) {
    for (std::size_t i = 1; i < polls.size(); ++i) {
      Client& client = clients_[i - 1];
      if (polls[i].revents != 0 && !hear(client)) {
        drop(client);
      }
    }
    std::erase_if(clients_, [](const Client& client) { return !client.connection; });
    if (polls[0].revents != 0) {
      take_next();
    }
  }

  void take_next() {
    Result<std::optional<sys::Fd>> next = sys::accept_own(in_.listener.get());
    full_ = !next;  // no descriptors left: until a client goes
    if (next && *next) {
      add(*std::move(next).value());
    }
  }

  /// False: it is gone, or talks nonsense.
  bool hear(Client& client) {
    int fd = -1;
    const long got =
        sys::raw::receive(client.connection.get(), buffer_.data(), buffer_.size(), &fd);
    sys::Fd came(fd);
    if (got <= 0) {
      return false;
    }
    if (client.served) {
      client.init = std::move(came);
      return client.init.valid();
    }
    const std::string_view said(buffer_.data(), static_cast<std::size_t>(got));
    return said == in_.key && serve(client);
  }

  bool serve(Client& client) {
    client.served = true;
    const Result<sys::Fd> mount = in_.copy_mount();
    const int to = client.connection.get();
    return mount && sys::raw::send(to, "m", 1, mount->get()) == 1 &&
           sys::raw::send(to, "u", 1, in_.user_namespace) == 1;
  }

  /// Its command may have cleared its death signal.
  void drop(Client& client) {
    if (client.init) {
      (void)sys::signal_process(client.init.get(), SIGKILL);  // gone already: all the better
    }
    client.connection.reset();
    full_ = false;
  }

  /// True if nobody came meanwhile, and nobody can come any more. Waits for no lock: who holds it may wait for us.
  bool end() {
    const auto lock =
        sys::FileLock::try_acquire(in_.directory, in_.lock, sys::FileLock::Kind::kExclusive);
    if (lock && !lock->has_value()) {
      return false;
    }
    take_next();
    if (!clients_.empty()) {
      return false;
    }
    (void)sys::unlink_at(in_.directory, in_.socket);  // the directory may be gone, with all else
    in_.listener.reset();
    return true;
  }

  ImageKeeperInput in_;
  std::vector<char> buffer_;
  std::vector<Client> clients_;
  bool full_ = false;
};

}  // namespace

Result<SharedImage> receive_image(sys::Fd connection) {
  SharedImage image;
  image.mount =
      SBX_TRY(sys::receive_fd_within(connection.get(), kAnswerMs, "the mount of the image"));
  image.user_namespace =
      SBX_TRY(sys::receive_fd_within(connection.get(), kAnswerMs, "the namespace of the image"));
  image.connection = std::move(connection);
  return image;
}

Result<SharedImage> ask_for_image(sys::Fd connection, const std::string& key) {
  const long sent = sys::raw::send(connection.get(), key.data(), key.size(), -1);
  if (sent < 0) {
    return fail(Error::system("ask for the mount of the image", "", static_cast<int>(-sent)));
  }
  return receive_image(std::move(connection));
}

Result<void> tell_init(int connection, int pidfd) {
  const long sent = sys::raw::send(connection, "i", 1, pidfd);
  return sent == 1 ? Result<void>()
                   : fail(Error::make(ErrorCode::kSystem, "start the sandbox", "",
                                      "the image server is gone"));
}

void keep_image(ImageKeeperInput input) { Keeper(std::move(input)).run(); }

}  // namespace sbx::runtime
