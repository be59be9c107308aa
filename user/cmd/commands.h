/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of the table in main.c, one file each. */
#ifndef KVG_CMD_COMMANDS_H
#define KVG_CMD_COMMANDS_H

/*
 * kvg_cmd_NAME() - run a command
 * @argc: from the command's own name on
 * @argv: argv[0] is the command's name
 *
 * Return: the exit status
 */
int kvg_cmd_agent(int argc, char **argv);
int kvg_cmd_attach(int argc, char **argv);
int kvg_cmd_compile(int argc, char **argv);
int kvg_cmd_detach(int argc, char **argv);
int kvg_cmd_diff(int argc, char **argv);
int kvg_cmd_doctor(int argc, char **argv);
int kvg_cmd_explain(int argc, char **argv);
int kvg_cmd_fetch(int argc, char **argv);
int kvg_cmd_learn(int argc, char **argv);
int kvg_cmd_monitor(int argc, char **argv);
int kvg_cmd_oci_hook(int argc, char **argv);
int kvg_cmd_policy(int argc, char **argv);
int kvg_cmd_report(int argc, char **argv);
int kvg_cmd_run(int argc, char **argv);
int kvg_cmd_simulate(int argc, char **argv);
int kvg_cmd_status(int argc, char **argv);

#endif
