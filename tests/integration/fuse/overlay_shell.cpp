// For experiments and measurements: runs a command as root of a user namespace with an overlay mounted.
//   overlay_shell [-t THREADS] [-d] [-l] [-b] [-a] [-s] LOWER STATE MOUNTPOINT COMMAND...
// STATE gets upper/ and work/. -d: durable, -l: lower is live, -b: write-back cache, -a: listings always
// with attributes, -s: attributes of the upper directory's files in side files. Prints how often each request came.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "harness.hpp"

int main(int argc, char** argv) {
  sbx::test::MountOptions options;
  options.print_counts = true;
  for (int c = 0; (c = ::getopt(argc, argv, "+t:dlbas")) != -1;) {
    if (c == 't') {
      options.threads = static_cast<unsigned>(std::atoi(optarg));
    } else if (c == 'd') {
      options.durability = sbx::overlay::Durability::kDurable;
    } else if (c == 'l') {
      options.live = true;
    } else if (c == 's') {
      options.upper_options.allowed.xattrs = false;
    } else if (c == 'a') {
      options.listing = sbx::overlay::Listing::kWithAttributes;
    } else if (c == 'b') {
      options.write_cache = sbx::overlay::WriteCache::kBack;
    }
  }
  if (argc - optind < 4) {
    std::fprintf(
        stderr,
        "usage: overlay_shell [-t THREADS] [-d] [-l] [-b] [-a] [-s] LOWER STATE MOUNTPOINT "
        "COMMAND...\n");
    return 2;
  }
  options.lower = argv[optind];
  const std::string state = argv[optind + 1];
  options.upper = state + "/upper";
  options.work = state + "/work";
  options.mountpoint = argv[optind + 2];
  options.exclude = {"proc", "sys", "dev", "run"};
  for (const std::string& dir : {state, options.upper, options.work, options.mountpoint}) {
    (void)::mkdir(dir.c_str(), 0700);
  }
  char** command = argv + optind + 3;
  return sbx::test::run_mounted(options, [&] {
    ::execvp(command[0], command);
    std::perror(command[0]);
    return 127;
  });
}
