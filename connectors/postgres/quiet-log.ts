/**
 * For a transaction whose statements have a person's id as a parameter: the server's log, where it prints statements, has them without
 * parameters. Only a role that may set this is able to; the plan tells where it is not.
 */
export const keepParametersOutOfLog = `
  select case when has_parameter_privilege('log_parameter_max_length', 'SET')
    then set_config('log_parameter_max_length', '0', true) end, set_config('log_parameter_max_length_on_error', '0', true)`;
