#include "world.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "servers.hpp"
#include "sys/file.hpp"
#include "sys/netdev.hpp"
#include "sys/ns.hpp"
#include "sys/raw.hpp"

namespace sbx::test {
namespace {

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

void write_text(const char* path, const std::string& text) {
  const sys::Fd fd(::open(path, O_WRONLY | O_CLOEXEC));
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    die(path);
  }
}

/// The same ids inside: the network process then sees itself as what it is, an ordinary user.
void new_namespaces(int flags) {
  const std::string uid = std::to_string(::geteuid());
  const std::string gid = std::to_string(::getegid());
  if (::unshare(flags) != 0) {
    die("unshare");
  }
  if ((flags & CLONE_NEWUSER) != 0) {
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", uid + " " + uid + " 1");
    write_text("/proc/self/gid_map", gid + " " + gid + " 1");
  }
}

/// A device with the servers' addresses. Its other end is nobody: what is sent to other hosts is lost.
void make_internet() {
  sys::TapConfig config;
  config.name = {'i', 'n', 'e', 't', '0'};
  config.address = {192, 0, 2, 1};
  config.gateway = {192, 0, 2, 254};
  config.ipv6.address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  config.ipv6.gateway = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe};
  FsResult<sys::Fd> device = sys::make_tap(config);
  if (!device) {
    errno = device.error().value();
    die("cannot make the internet of the tests");
  }
  (void)device->release();  // lives as long as the tests
}

void bind_resolv_conf() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    die("make mounts private");
  }
  // On a tmpfs that only this world sees, so that nothing is left when it ends.
  if (::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr) != 0) {
    die("mount /tmp");
  }
  const std::string name = "/tmp/resolv.conf";
  const sys::Fd file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  const std::string text =
      std::string("search example\nnameserver ") + kServer4 + "\nnameserver " + kServer6 + "\n";
  if (::write(file.get(), text.data(), text.size()) < 0) {
    die(name.c_str());
  }
  const Result<std::string> target = sys::real_path("/etc/resolv.conf");
  if (::fchmod(file.get(), 0644) != 0 || !target ||
      ::mount(name.c_str(), target->c_str(), nullptr, MS_BIND, nullptr) != 0) {
    die("bind resolv.conf");
  }
}

void die_with_parent(pid_t parent) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    std::_Exit(1);
  }
}

}  // namespace

void enter_world() {
  // Root needs no user namespace, and without one the network process is started by root as in real life.
  new_namespaces(CLONE_NEWNS | CLONE_NEWNET | (::geteuid() == 0 ? 0 : CLONE_NEWUSER));
  make_internet();
  bind_resolv_conf();
  Servers servers = Servers::listen();
  const pid_t parent = ::getpid();
  if (::fork() == 0) {
    die_with_parent(parent);
    servers.serve();
  }
}

Guest::Guest(const net::SlirpStack::Options& options) {
  sys::ChannelPair channel = sys::make_channel().value();
  death_ = sys::make_channel().value();
  start_net(options, std::move(channel.ours));
  death_.theirs.reset();
  start_guest(options, std::move(channel.theirs));
}

void Guest::start_net(const net::SlirpStack::Options& options, sys::Fd channel) {
  const pid_t parent = ::getpid();
  net_ = ::fork();
  if (net_ != 0) {
    return;
  }
  death_.ours.reset();
  net::SlirpRequest request;
  request.stack = options;
  request.parent = parent;
  request.death_fds = {death_.theirs.get()};
  request.keep_fds = {channel.get()};
  auto server = net::SlirpServer::prepare(request);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message().c_str());
    sys::raw::exit(2);
  }
  Result<sys::Fd> tap = sys::receive_fd(channel.get(), "tap");
  channel.reset();
  sys::raw::exit(tap && server->serve(std::move(tap).value()) ? 0 : 3);
}

void Guest::start_guest(const net::SlirpStack::Options& options, sys::Fd channel) {
  sys::ChannelPair ready = sys::make_channel().value();
  const pid_t parent = ::getpid();
  guest_ = ::fork();
  if (guest_ == 0) {
    die_with_parent(parent);
    (void)sys::close_all_but(
        {channel.get(), ready.theirs.get()});  // other guests' death descriptors among them
    new_namespaces(CLONE_NEWUSER | CLONE_NEWNET);
    const sys::TapConfig config = net::tap_config(options.plan, options.ipv6);
    FsResult<sys::Fd> tap = sys::make_tap(config);
    if (!tap) {
      errno = tap.error().value();
      die("make_tap");
    }
    (void)sys::raw::send(channel.get(), "t", 1, tap->get());
    tap->reset();
    (void)sys::raw::write(ready.theirs.get(), "r", 1);
    for (;;) {
      ::pause();
    }
  }
  ready.theirs.reset();
  char byte = 0;
  if (::read(ready.ours.get(), &byte, 1) != 1) {
    die("guest");
  }
  guest_pidfd_ = sys::Fd(static_cast<int>(::syscall(SYS_pidfd_open, guest_, 0)));
}

Guest::~Guest() {
  if (guest_ > 0) {
    (void)::kill(guest_, SIGKILL);
    (void)::waitpid(guest_, nullptr, 0);
  }
  if (net_ > 0) {
    (void)::kill(net_, SIGKILL);
    (void)::waitpid(net_, nullptr, 0);
  }
}

std::string Guest::run(const std::function<std::string()>& action) const {
  sys::Pipe answer = sys::make_pipe().value();
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::setns(guest_pidfd_.get(), CLONE_NEWUSER | CLONE_NEWNET) != 0) {
      die("setns");
    }
    const std::string text = action();
    (void)sys::raw::write(answer.writer.get(), text.data(), text.size());
    sys::raw::exit(0);
  }
  answer.writer.reset();
  std::string text;
  std::array<char, 512> buffer{};
  for (ssize_t got = 1; got > 0;) {
    got = ::read(answer.reader.get(), buffer.data(), buffer.size());
    text.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  int status = 0;
  (void)::waitpid(pid, &status, 0);
  return status == 0 ? text : text + " (the guest's process failed)";
}

bool Guest::net_ended(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (net_ > 0 && std::chrono::steady_clock::now() < end) {
    if (::waitpid(net_, &status_, WNOHANG) == net_) {
      net_ = 0;
    } else {
      ::usleep(1000);
    }
  }
  return net_ == 0;
}

}  // namespace sbx::test
