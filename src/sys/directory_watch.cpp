#include "sys/directory_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>

namespace sbx::sys {

Result<DirectoryWatch> DirectoryWatch::make(const std::string& directory) {
  Fd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify || ::inotify_add_watch(inotify.get(), directory.c_str(),
                                      IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
    return fail(Error::system("watch directory", directory));
  }
  return DirectoryWatch(std::move(inotify));
}

bool DirectoryWatch::wait(int other, int ms) const {
  std::array<pollfd, 2> polls{{{inotify_.get(), POLLIN, 0}, {other, POLLIN, 0}}};
  while (::poll(polls.data(), polls.size(), ms) < 0) {
  }
  std::array<char, 4096> events;  // NOLINT: what they say does not matter
  while (::read(inotify_.get(), events.data(), events.size()) > 0) {
  }
  return polls[1].revents != 0;
}

}  // namespace sbx::sys
