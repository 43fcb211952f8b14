import { Elysia, type AnyElysia } from 'elysia';
import { projectOf } from '../../operator/find.ts';
import type { Office } from '../../operator/office.ts';
import { createProject, deleteProject, listProjects, renameProject } from '../../operator/projects.ts';
import { listJson, projectJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** Projects. */
export function projectRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/projects',
      ...visits.read(
        { operationId: 'list-projects', reach: 'workspace', summary: 'List projects', answer: schemas.ProjectList },
        ({ scope }) => listJson(listProjects(office, scope).map((project) => projectJson(registry, project))),
      ),
    )
    .post(
      '/projects',
      ...visits.write(
        {
          operationId: 'create-project',
          reach: 'workspace',
          summary: 'Make a project',
          body: schemas.ProjectInput,
          answer: schemas.Project,
          success: 201,
          statuses: [409],
        },
        async ({ scope, actor, body }) =>
          projectJson(registry, await createProject(office, scope, actor, body.name, body.workspace_id ?? null)),
      ),
    )
    .get(
      '/projects/:id',
      ...visits.read({ operationId: 'get-project', reach: 'workspace', summary: 'One project', answer: schemas.Project }, ({ scope, id }) =>
        projectJson(registry, projectOf(registry, scope, id)),
      ),
    )
    .patch(
      '/projects/:id',
      ...visits.write(
        {
          operationId: 'update-project',
          reach: 'workspace',
          summary: 'Rename a project',
          body: schemas.ProjectChange,
          answer: schemas.Project,
          statuses: [409],
        },
        async ({ scope, actor, id, body }) => {
          const project = projectOf(registry, scope, id);
          return projectJson(registry, body.name === undefined ? project : await renameProject(office, actor, project, body.name));
        },
      ),
    )
    .delete(
      '/projects/:id',
      ...visits.write(
        {
          operationId: 'delete-project',
          reach: 'workspace',
          summary: 'Delete a project: its keys stop at once, its decisions stay',
          success: 204,
        },
        ({ scope, actor, id }) => deleteProject(office, actor, projectOf(registry, scope, id)),
      ),
    );
}
