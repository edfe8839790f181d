#include "cli/verbs.hpp"

namespace sbx::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> kVerbs{
      {"run", "Run a command in a new sandbox", cmd_run},
      {"create", "Make a container and do not run it yet", cmd_create},
      {"start", "Run containers that were created or have ended", cmd_start},
      {"ps", "List containers", cmd_ps},
      {"exec", "Run a command in a container that runs", cmd_exec},
      {"attach", "Pass standard streams on, from and to a container in the background", cmd_attach},
      {"logs", "Print what a container in the background has written", cmd_logs},
      {"wait", "Wait until containers have ended", cmd_wait},
      {"stop", "End containers", cmd_stop},
      {"restart", "End containers, and run them again", cmd_restart},
      {"kill", "Send a signal to the commands of containers", cmd_kill},
      {"pause", "Stop all processes of containers for a while", cmd_pause},
      {"unpause", "Let paused containers go on", cmd_unpause},
      {"top", "List the processes of a container", cmd_top},
      {"stats", "Show what containers use", cmd_stats},
      {"events", "Show what happens to containers and images", cmd_events},
      {"rename", "Give a container another name", cmd_rename},
      {"port", "List the ports of a container that the host publishes", cmd_port},
      {"rm", "Remove containers", cmd_rm},
      {"container",
       "Remove containers that do not run; docker's second spelling of the verbs of containers",
       cmd_container},
      {"cp", "Copy files between a container and the host", cmd_cp},
      {"shell",
       "Open a developer's shell: your id, home and current directory, a file tree of its own",
       cmd_shell},
      {"pull", "Fetch an image from a registry", cmd_pull},
      {"push", "Write an image to a registry", cmd_push},
      {"login", "Keep a user name and a password for a registry", cmd_login},
      {"logout", "Forget the password for a registry", cmd_logout},
      {"search", "Look for images in registries, or list the tags of one", cmd_search},
      {"load", "Load images from a directory or an archive of this machine", cmd_load},
      {"save", "Write images to an archive or a directory", cmd_save},
      {"import", "Make an image from a root file system in a tar", cmd_import},
      {"export", "Write the files of a container to a tar", cmd_export},
      {"images", "List images", cmd_images},
      {"tag", "Give an image another name", cmd_tag},
      {"untag", "Take names from an image", cmd_untag},
      {"rmi", "Remove images", cmd_rmi},
      {"inspect", "Show what is known of containers and images, as JSON", cmd_inspect},
      {"history", "Show the steps by which an image was made", cmd_history},
      {"image", "Remove images that nothing uses; docker's second spelling of the verbs of images",
       cmd_image},
      {"volume", "Make, list, inspect and remove volumes, which containers mount", cmd_volume},
      {"system", "What is on disk: how much, what nothing uses, and whether it is whole",
       cmd_system},
      {"doctor", "Tell what this machine lacks for sandboxes, and how to mend it", cmd_doctor},
      {"version", "Show the version", cmd_version},
  };
  return kVerbs;
}

}  // namespace sbx::cli
