#include "sys/channel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "sys/raw.hpp"

namespace sbx::sys {

Result<ChannelPair> make_channel() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return fail(Error::system("make a socket pair", ""));
  }
  return ChannelPair{Fd(fds[0]), Fd(fds[1])};
}

Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) {
    return fail(Error::system("make a pipe", ""));
  }
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Result<Fd> receive_fd(int socket, std::string_view what) {
  char byte = 0;
  int fd = -1;
  const long got = raw::receive(socket, &byte, sizeof byte, &fd);
  if (got < 0) {
    return fail(Error::system(fmt::format("receive {}", what), "", static_cast<int>(-got)));
  }
  if (fd < 0) {
    return fail(Error::make(ErrorCode::kSystem, fmt::format("receive {}", what), "",
                            "the sandbox's init process is gone"));
  }
  return Fd(fd);
}

}  // namespace sbx::sys
