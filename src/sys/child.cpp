#include "sys/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/ns.hpp"

namespace sbx::sys {
namespace {

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void standard(int out, int err, int in) {
    if (in < 0) {
      ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    } else {
      // Also of 0 to 0: then posix_spawn(3) clears its close-on-exec flag.
      ::posix_spawn_file_actions_adddup2(&actions_, in, STDIN_FILENO);
    }
    if (out >= 0) {
      ::posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    }
    if (err >= 0) {
      ::posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    }
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

Child::~Child() {
  if (running()) {
    kill();
    (void)wait();  // a destructor has nobody to tell
  }
}

Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    if (running()) {
      kill();
      (void)wait();
    }
    pid_ = std::exchange(other.pid_, 0);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

Result<Child> Child::spawn(const std::vector<std::string>& argv, int out, int err, int in) {
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv) {
    words.push_back(
        const_cast<char*>(word.c_str()));  // NOLINT: posix_spawn(3) does not write to them
  }
  words.push_back(nullptr);
  FileActions actions;
  actions.standard(out, err, in);
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, words[0], actions.get(), nullptr, words.data(), environ);
  if (failed != 0) {
    return fail(Error::system("start", argv[0], failed));
  }
  Result<Fd> pidfd = open_process(pid);
  if (!pidfd) {
    Child doomed(pid, Fd());
    return fail(std::move(pidfd).error());
  }
  return Child(pid, std::move(pidfd).value());
}

Result<ExitStatus> Child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) {
      return fail(Error::system("wait for process", std::to_string(pid_)));
    }
  }
  pid_ = 0;
  if (WIFSIGNALED(status)) {
    return ExitStatus{0, WTERMSIG(status)};
  }
  return ExitStatus{WEXITSTATUS(status), 0};
}

void Child::kill() const {
  // By pid: it is our child and not yet reaped, so the number is still its own.
  (void)::kill(pid_, SIGKILL);
}

void Child::release() { pid_ = 0; }

}  // namespace sbx::sys
