#include "harness.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sbx::test {

namespace {

constexpr int kSkip = 77;
constexpr int kServerFailed = 70;

void write_text(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    std::perror(path.c_str());
  }
  ::close(fd);
}

void send_fd(int socket, int fd) {
  char byte = 'f';
  struct iovec part {
    &byte, 1
  };
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  struct msghdr message {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  struct cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(head), &fd, sizeof(fd));
  (void)!::sendmsg(socket, &message, 0);
}

int receive_fd(int socket) {
  char byte = 0;
  struct iovec part {
    &byte, 1
  };
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  struct msghdr message {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) {
    return -1;
  }
  int fd = -1;
  struct cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head != nullptr) {
    std::memcpy(&fd, CMSG_DATA(head), sizeof(fd));
  }
  return fd;
}

int serve(const MountOptions& options, sys::Fd device) {
  overlay::ServeRequest request;
  if (options.prepare) {
    options.prepare(request);
  } else {
    request.lower =
        overlay::DirLower{sys::Fd(::open(options.lower.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
                          options.live, options.exclude};
  }
  if (!options.upper.empty()) {
    request.upper = sys::Fd(::open(options.upper.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    request.work = sys::Fd(::open(options.work.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  request.upper_options = options.upper_options;
  const std::uint32_t all = ::getuid() == 0 ? 65536 : 1;
  request.ids =
      all == 1 ? overlay::IdView::squash({0, 0}) : overlay::IdView::full({{0, all}}, {{0, all}});
  request.durability = options.durability;
  request.write_cache = options.write_cache;
  request.listing = options.listing;
  request.threads = options.threads;
  request.time_requests = options.print_counts;
  auto made = overlay::FileSystem::make(std::move(request));
  if (!made) {
    std::fprintf(stderr, "%s\n", made.error().message().c_str());
    return kServerFailed;
  }
  const auto served = (*made)->serve(std::move(device));
  if (options.print_counts) {
    std::fputs(overlay::table((*made)->stats()).c_str(), stderr);
  }
  if (!served) {
    std::fprintf(stderr, "%s\n", served.error().message().c_str());
    return kServerFailed;
  }
  return 0;
}

/// The inner process: until the mount is there, 77 for what the machine does not allow.
int inside(const MountOptions& options, int socket, const std::function<int()>& body) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  char byte = 0;
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
    std::printf("SKIP userns: unshare: %s\n", std::strerror(errno));
    return kSkip;
  }
  (void)!::write(socket, "u", 1);
  if (::read(socket, &byte, 1) != 1) {
    return kServerFailed;
  }
  const int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) {
    std::printf("SKIP fuse: open /dev/fuse: %s\n", std::strerror(errno));
    return kSkip;
  }
  char data[128];
  (void)std::snprintf(data, sizeof(data),
                      "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other",
                      device);
  if (::mount("sbx", options.mountpoint.c_str(), "fuse.sbx", MS_NODEV | MS_NOSUID, data) != 0) {
    std::printf("SKIP fuse: mount: %s\n", std::strerror(errno));
    return kSkip;
  }
  send_fd(socket, device);
  ::close(device);
  return body();
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  path_ = std::string(base != nullptr ? base : "/var/tmp") + "/sbx-test-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) {
    std::perror("mkdtemp");
    std::abort();
  }
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

int run_mounted(const MountOptions& options, const std::function<int()>& body) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return kServerFailed;
  }
  std::fflush(nullptr);
  const pid_t inner = ::fork();
  if (inner == 0) {
    ::close(pair[0]);
    const int code = inside(options, pair[1], body);
    std::fflush(nullptr);
    ::_exit(code);
  }
  ::close(pair[1]);
  char byte = 0;
  if (::read(pair[0], &byte, 1) != 1) {
    ::close(pair[0]);
    return wait_for(inner);
  }
  const std::string proc = "/proc/" + std::to_string(inner);
  if (::getuid() == 0) {
    write_text(proc + "/uid_map", "0 0 65536");
    write_text(proc + "/gid_map", "0 0 65536");
  } else {
    write_text(proc + "/setgroups", "deny");
    write_text(proc + "/uid_map", "0 " + std::to_string(::getuid()) + " 1");
    write_text(proc + "/gid_map", "0 " + std::to_string(::getgid()) + " 1");
  }
  (void)!::write(pair[0], "m", 1);
  sys::Fd device(receive_fd(pair[0]));
  ::close(pair[0]);
  if (!device) {
    return wait_for(inner);
  }
  const pid_t server = ::fork();
  if (server == 0) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)::prctl(PR_SET_NAME, "sbx-test-fs");
    const int ns = ::open((proc + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC);
    if (::setns(ns, CLONE_NEWUSER) != 0) {
      std::perror("setns");
    }
    ::close(ns);
    const int code = serve(options, std::move(device));
    std::fflush(nullptr);
    ::_exit(code);
  }
  device.reset();
  const int code = wait_for(inner);
  const int served = wait_for(server);
  return served != 0 && code == 0 ? served : code;
}

bool fuse_usable() {
  const TempDir dir;
  for (const char* name : {"lower", "mnt"}) {
    (void)::mkdir((dir / name).c_str(), 0755);
  }
  MountOptions options;
  options.lower = dir / "lower";
  options.mountpoint = dir / "mnt";
  const auto body = [&] {
    struct stat st {};
    return ::stat(options.mountpoint.c_str(), &st) == 0 ? 0 : 1;
  };
  return run_mounted(options, body) == 0;
}

}  // namespace sbx::test
