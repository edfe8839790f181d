#include "sys/local_socket.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sys/channel.hpp"

namespace sbx::sys {
namespace {

// More than start at once; the kernel lets the next one wait.
constexpr int kBacklog = 128;

Result<sockaddr_un> address_of(int dir, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", dir, name);
  if (path.size() >= sizeof address.sun_path) {
    return fail(Error::system("name a socket", name, ENAMETOOLONG));
  }
  std::memcpy(static_cast<char*>(address.sun_path), path.c_str(), path.size() + 1);
  return address;
}

Result<Fd> make_socket(int flags) {
  Fd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  return made ? Result<Fd>(std::move(made)) : fail(Error::system("make a socket", ""));
}

const sockaddr* as_address(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // NOLINT: as the interface wants it
}

}  // namespace

Result<Fd> listen_at(int dir, const std::string& name) {
  const sockaddr_un address = SBX_TRY(address_of(dir, name));
  Fd made = SBX_TRY(make_socket(SOCK_NONBLOCK));
  if (::bind(made.get(), as_address(address), sizeof address) != 0) {
    return fail(Error::system("listen at", name, errno == EADDRINUSE ? EEXIST : errno));
  }
  if (::listen(made.get(), kBacklog) != 0) {
    return fail(Error::system("listen at", name));
  }
  return made;
}

Result<std::optional<Fd>> connect_at(int dir, const std::string& name) {
  const sockaddr_un address = SBX_TRY(address_of(dir, name));
  Fd made = SBX_TRY(make_socket(0));
  while (::connect(made.get(), as_address(address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) {
      return std::optional<Fd>();
    }
    if (errno != EINTR) {
      return fail(Error::system("connect to", name));
    }
  }
  return std::optional<Fd>(std::move(made));
}

Result<std::optional<Fd>> accept_own(int listener) {
  Fd made(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!made) {
    const bool too_many = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return too_many ? Result<std::optional<Fd>>(fail(Error::system("accept", "a connection")))
                    : Result<std::optional<Fd>>(std::optional<Fd>());
  }
  ucred who{};
  socklen_t size = sizeof who;
  const bool ours =
      ::getsockopt(made.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == ::getuid();
  return ours ? std::optional<Fd>(std::move(made)) : std::optional<Fd>();
}

Result<Fd> receive_fd_within(int socket, int ms, std::string_view what) {
  pollfd entry{socket, POLLIN, 0};
  if (::poll(&entry, 1, ms) != 1) {
    return fail(Error::system(fmt::format("receive {}", what), "", ETIMEDOUT));
  }
  return receive_fd(socket, what);
}

}  // namespace sbx::sys
